"""How the boxes of one track came about, for people to look at."""

from autolabel.explain.story import Story, story_of

__all__ = ["Story", "story_of"]
