"""The commands of `python -m training`, their exit codes and error messages."""

import sys

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from artifact import ArtifactError, ModelCard, read_key
from training.config import TrainConfig
from training.console import show_reading
from training.data.errors import SeriesError
from training.data.series import load_rows
from training.inspect.config import InspectConfig
from training.inspect.run import inspect
from training.inspect.shown import summary
from training.parser import parse
from training.publish import check_writable, labels, publish_all
from training.quiet import silent_stderr
from training.report.config import ReportConfig
from training.score.config import ScoreConfig
from training.score.run import score

FAILED, BAD_INPUT = 1, 2


def run(arguments: list[str]) -> int:
    """Run the command line; returns 0, 2 for wrong arguments or data, 1 for any other error that it can name."""
    try:
        if arguments[:1] == ["report"]:
            _report(parse(ReportConfig, arguments[1:]))
        elif arguments[:1] == ["inspect"]:
            return 0 if inspect(parse(InspectConfig, arguments[1:])) else BAD_INPUT
        elif arguments[:1] == ["score"]:
            score(parse(ScoreConfig, arguments[1:]))
        else:
            _train(parse(TrainConfig, arguments))
    except ValidationError as error:
        return _fail(BAD_INPUT, "; ".join(_describe(problem) for problem in error.errors()))
    except SeriesError as error:
        return _fail(BAD_INPUT, str(error))
    except BrokenPipeError:
        raise
    except (ArtifactError, OSError) as error:
        return _fail(FAILED, str(error))
    return 0


def _train(config: TrainConfig) -> None:
    with show_reading(config.data):
        rows = load_rows(config)
    if rows.table is not None:
        print(*summary(rows.table), sep="\n", file=sys.stderr, flush=True)
    config = config.for_rows(len(rows.targets))
    key = read_key(config.card_key_file)
    check_writable(config.models_dir, map(config.model_name, config.networks))
    # TensorFlow takes seconds to import: by now the arguments and the data are known to be good.
    with silent_stderr():
        from training.console import show_fits
        from training.train import fits_of, train

    with show_fits(len(config.networks) * fits_of(config), config.resolved_epochs) as start_fit:
        trained = [train(name, config, rows, start_fit) for name in config.networks]
    _show(config, publish_all(config.models_dir, trained, key))


def _show(config: TrainConfig, cards: list[ModelCard]) -> None:
    from training.console import table, verdict

    published = f"published in {config.models_dir}: {', '.join(labels(cards))}"
    where = f"--models-dir {config.models_dir}"
    hints = f"""\
serve them:    python -m service {where}
list versions: python -m artifact list {where}
go back:       python -m artifact pin {cards[0].name} VERSION {where}"""
    try:
        print(*map(table, cards), "\n".join(map(verdict, cards)), f"{published}\n{hints}", sep="\n\n", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"{published}; but the results cannot be printed: {error.strerror}") from None


def _report(config: ReportConfig) -> None:
    from training.report.build import build

    print(build(config), flush=True)


def _describe(problem: ErrorDetails) -> str:
    flag = "".join(f"--{part}".replace("_", "-") for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{flag}: {message}" if flag else message


def _fail(code: int, text: str) -> int:
    print(f"training: {text}", file=sys.stderr)
    return code
