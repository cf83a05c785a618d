"""The options of both programs that say what is learned, and the settings that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ner import tags
from ner.checkpoint import Settings
from ner.errors import GivenError
from ner.models import LOSSES
from ner.updates import RATES
from ner.vocabulary import FEATURES

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
FILE = click.Path(dir_okay=False)
RATE_HELP = f"α; {' and '.join(f'{rate} for {name}' for name, rate in RATES.items())} where it is not given."

# By the name of the setting: what a checkpoint holds.
OF_SETTINGS: dict[str, Callable[[Any], Any]] = {
    "model": click.option("--model", type=click.Choice(list(LOSSES)), default="softmax", show_default=True, help="Which loss."),
    "reach": click.option(
        "--window", "reach", type=click.IntRange(0, 50), default=2, show_default=True, help="Words on both sides."
    ),
    "features": click.option("--features", default=",".join(FEATURES), show_default=True, help="What a word is looked up by."),
    "average": click.option("--average", is_flag=True, help="Average the vectors of a window in place of stacking them."),
    "hidden": click.option(
        "--hidden", type=click.IntRange(0, 100_000), default=100, show_default=True, help="Hidden units; 0 for no layer."
    ),
    "frozen": click.option("--frozen", is_flag=True, help="Leave the word vectors as they are."),
    "corrupt": click.option(
        "--corrupt", type=click.IntRange(1, 50), default=5, show_default=True, help="Corrupt windows for a true one."
    ),
    "of": click.option("--class", "of", default="", help="The class of margin and logistic; LOC, or else the most frequent."),
    "scheme": click.option(
        "--tags", "scheme", type=click.Choice(tags.SCHEMES), default="bio", show_default=True, help="What softmax learns."
    ),
    "optimizer": click.option("--optimizer", type=click.Choice(list(RATES)), default="adagrad", show_default=True),
    "rate": click.option("--rate", type=click.FloatRange(0, min_open=True), help=RATE_HELP),
    "batch": click.option("--batch", type=click.IntRange(1), default=32, show_default=True, help="Windows in a batch."),
    "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
}


def of_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with these options."""
    for option in reversed(OF_SETTINGS.values()):
        command = option(command)
    return command


def settings(given: dict[str, Any]) -> Settings:
    """The options as settings. Raises GivenError for a feature that there is not."""
    features = tuple(dict.fromkeys(name.strip() for name in given["features"].split(",") if name.strip()))
    unknown = [name for name in features if name not in FEATURES]
    if unknown or not features:
        raise GivenError(f"--features are some of {', '.join(FEATURES)}, but not {', '.join(map(repr, unknown)) or 'none'}.")
    made = {key: given[key] for key in OF_SETTINGS if key not in ("features", "rate")}
    return Settings(**made, features=features, rate=given["rate"] or RATES[given["optimizer"]])
