"""The `crosslabel` command: hands over to one file a command and words every known error as one line."""

import sys

import typer

from scripts import (
    agree,
    autolabel,
    bench,
    calibrate,
    check,
    convert,
    demo,
    diff,
    doctor,
    drift,
    effort,
    evaluate,
    info,
    merge,
    rank,
    release,
    render,
    rig,
    similar,
    status,
    validate,
    verify,
    view,
    warmup,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns LiDAR and camera drive logs into 3D labels that agree with every sensor.",
)
for module in (
    demo,
    info,
    rig,
    doctor,
    calibrate,
    drift,
    autolabel,
    status,
    view,
    effort,
    check,
    similar,
    rank,
    agree,
    diff,
    merge,
    evaluate,
    convert,
    validate,
    release,
    verify,
    render,
    warmup,
    bench,
):
    app.command(module.__name__.rpartition(".")[2])(module.run)


def main() -> None:
    """Runs a command; exit code 2 and one line for whatever bad input causes, 130 for Ctrl-C."""
    try:
        app()
    except KeyboardInterrupt:
        print("crosslabel: stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        from scripts.console import known_error

        message = known_error(error)
        if message is None:
            raise
        print(f"crosslabel: {message}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
