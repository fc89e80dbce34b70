"""The desktop viewer: session, actions, tools and scene know neither Qt nor GL; `qt` and `gl` do."""
