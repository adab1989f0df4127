"""The rules in force: what conf/typologies.yaml says, checked against the features that there are."""

from expectations.member_feature import MEMBER_FEATURES
from jobs._config import Config
from jobs._runtime import Options
from jobs._typologies import Typologies, load_typologies


def rulebook(config: Config) -> Typologies:
    """The rules, what explains them, and their words.

    Raises:
        ConfigError: naming every fault in the file.
    """
    return load_typologies(config.detect.typologies, {"member": MEMBER_FEATURES})


def check_rules(config: Config, options: Options) -> None:
    """Faults of the rules show before Spark starts."""
    rulebook(config)
