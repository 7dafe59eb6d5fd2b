"""`python -m training`: a command line to two published versions, or with `report` first to a report."""

import sys

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import CliApp

from artifact import ArtifactError, publish, read_key
from training.config import TrainConfig
from training.data.series import SeriesError, load_rows
from training.quiet import silent_stderr
from training.report.config import ReportConfig


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    report = arguments[:1] == ["report"]
    try:
        config = CliApp.run(ReportConfig, arguments[1:]) if report else CliApp.run(TrainConfig, arguments)
    except ValidationError as error:
        return _fail(2, "; ".join(_describe(problem) for problem in error.errors()))
    try:
        _report(config) if isinstance(config, ReportConfig) else _train(config)
    except SeriesError as error:
        return _fail(2, str(error))
    except (ArtifactError, OSError) as error:
        return _fail(1, str(error))
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    return 0


def _train(config: TrainConfig) -> None:
    rows = load_rows(config)
    key = read_key(config.card_key_file)
    for name in config.networks:  # a repository that cannot be written is found before the work
        (config.models_dir / config.model_name(name)).mkdir(parents=True, exist_ok=True)
    # TensorFlow takes seconds to import: by now the arguments and the data are known to be good.
    with silent_stderr():
        from training.console import table, verdict
        from training.train import train

    trained = [train(name, config, rows) for name in config.networks]
    cards = [publish(config.models_dir, model.draft, model.files, key) for model in trained]
    print(*(table(card) for card in cards), "\n".join(verdict(card) for card in cards), sep="\n\n")


def _report(config: ReportConfig) -> None:
    from training.report.build import build

    print(build(config))


def _describe(problem: ErrorDetails) -> str:
    flag = "".join(f"--{part}".replace("_", "-") for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{flag}: {message}" if flag else message


def _fail(code: int, text: str) -> int:
    print(f"training: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
