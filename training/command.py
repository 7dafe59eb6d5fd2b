"""The commands of `python -m training`, their exit codes and error messages."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from artifact import ArtifactError, ModelCard, read_key
from training.combination.prepare import prepare
from training.config import TrainConfig
from training.console import show_reading
from training.data.errors import SeriesError
from training.data.rows import Rows
from training.data.series import load_rows
from training.each.run import train_each
from training.inspect.config import InspectConfig
from training.inspect.run import inspect
from training.inspect.shown import summary
from training.parser import parse
from training.publish import Publishable, PublishError, check_writable, labels, publish_all
from training.quiet import discard_stdout, silent_stderr
from training.report.config import ReportConfig
from training.score.config import ScoreConfig
from training.score.run import score
from training.signature import live_versions

FAILED, BAD_INPUT, NOT_BETTER, SERIES_FAILED = 1, 2, 3, 4


def run(arguments: list[str]) -> int:
    """Run the command line; returns 0, 2 for wrong arguments or data, 3 for a model that `--publish-if better`
    kept back, 4 for a series that failed with `--each`, 1 for any other error that it can name.
    """
    try:
        if arguments[:1] == ["report"]:
            _report(parse(ReportConfig, arguments[1:]))
        elif arguments[:1] == ["inspect"]:
            return 0 if inspect(parse(InspectConfig, arguments[1:])) else BAD_INPUT
        elif arguments[:1] == ["score"]:
            score(parse(ScoreConfig, arguments[1:]))
        else:
            config = parse(TrainConfig, arguments)
            return _train_each(config) if config.each else _train(config)
    except ValidationError as error:
        return _fail(BAD_INPUT, "; ".join(_describe(problem) for problem in error.errors()))
    except SeriesError as error:
        return _fail(BAD_INPUT, str(error))
    except BrokenPipeError:
        raise
    except (ArtifactError, OSError) as error:
        return _fail(FAILED, str(error))
    return 0


def _train(config: TrainConfig) -> int:
    with show_reading(config.data):
        prepared = prepare(config) if config.resolved_recipe == "combination" else load_rows(config)
    if prepared.table is not None:
        print(*summary(prepared.table), sep="\n", file=sys.stderr, flush=True)
    if isinstance(prepared, Rows):
        config = config.for_rows(len(prepared.targets))
    key = read_key(config.card_key_file)
    check_writable(config.models_dir, map(config.model_name, config.networks))
    served = live_versions(config, prepared, key)
    # TensorFlow takes seconds to import: by now the arguments and the data are known to be good.
    with silent_stderr():
        from training.compare import compare
        from training.stages import train_networks

    trained = train_networks(config, prepared)
    worse = []
    if config.publish_if == "better":
        pairs = [(model, served.get(model.draft.name)) for model in trained]
        worse = [found for model, live in pairs if live is not None and (found := compare(model, live))]
    names = {found.name for found in worse}
    better = [model for model in trained if model.draft.name not in names]
    if better:
        _show(config, _publish(config.models_dir, better, key))
    for found in worse:
        print(f"training: {found}", file=sys.stderr)
    return NOT_BETTER if worse else 0


def _publish(models_dir: Path, trained: Sequence[Publishable], key: bytes | None) -> list[ModelCard]:
    try:
        return publish_all(models_dir, trained, key)
    except PublishError as error:
        raise PublishError(f"{error}; for these run the same command again with --networks and their names") from None


def _train_each(config: TrainConfig) -> int:
    results = train_each(config)
    if results.failures:
        return SERIES_FAILED
    return NOT_BETTER if results.worse else 0


def _show(config: TrainConfig, cards: list[ModelCard]) -> None:
    from training.console import published_fit, table, verdict

    published = f"published in {config.models_dir}: {', '.join(labels(cards))}"
    where = f"--models-dir {config.models_dir}"
    hints = f"""\
serve them:    python -m service {where}
list versions: python -m artifact list {where}
go back:       python -m artifact pin {cards[0].name} VERSION {where}"""
    try:
        fit = published_fit(config.fitted_on)
        print(*map(table, cards), "\n".join(map(verdict, cards)), fit, f"{published}\n{hints}", sep="\n\n", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
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
