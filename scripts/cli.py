"""The `crosslabel` command: hands over to one file a command and words every known error as one line."""

import sys

import typer

from scripts import autolabel, calibrate, demo, doctor, drift, evaluate, export, info, render, rig, warmup

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns LiDAR and camera drive logs into 3D labels that agree with every sensor.",
)
for module in (demo, info, rig, doctor, calibrate, drift, autolabel, evaluate, export, render, warmup):
    app.command(module.__name__.rpartition(".")[2])(module.run)


def main() -> None:
    """Runs a command; exit code 2 and one line for whatever bad input causes, 130 for Ctrl-C."""
    try:
        app()
    except KeyboardInterrupt:
        print("crosslabel: stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        message = _known(error)
        if message is None:
            raise
        print(f"crosslabel: {message}", file=sys.stderr)
        sys.exit(2)


def _known(error: Exception) -> str | None:
    from calib.errors import CrosslabelError

    if isinstance(error, CrosslabelError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
    return None


if __name__ == "__main__":
    main()
