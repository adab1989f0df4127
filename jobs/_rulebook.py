"""The rules in force: what conf/typologies.yaml says, checked against the features that there are."""

from expectations.feature import FeatureDefinition
from expectations.member_feature import MEMBER_FEATURES
from expectations.provider_feature import DOCTOR_FEATURES, INSTITUTION_DRUG_FEATURES
from jobs._config import Config
from jobs._runtime import Options
from jobs._typologies import Subject, Typologies, load_typologies


def rulebook(config: Config) -> Typologies:
    """The rules, what explains them, and their words.

    Raises:
        ConfigError: naming every fault in the file.
    """
    known: dict[Subject, tuple[FeatureDefinition, ...]] = {
        "member": MEMBER_FEATURES,
        "institution": INSTITUTION_DRUG_FEATURES,
        "doctor": DOCTOR_FEATURES,
    }
    return load_typologies(config.detect.typologies, known)


def check_rules(config: Config, options: Options) -> None:
    """Faults of the rules show before Spark starts."""
    rulebook(config)
