"""The rules in force: what conf/typologies.yaml says, checked against the features that there are."""

from expectations.contract.feature import FeatureDefinition
from expectations.feature.dispensing import DOCTOR_FEATURES, INSTITUTION_DRUG_FEATURES
from expectations.feature.member import MEMBER_FEATURES
from expectations.feature.member_ring import MEMBER_RING_FEATURES
from expectations.feature.resemblance import RESEMBLANCE_FEATURES
from jobs.rules.typologies import Subject, Typologies, load_typologies
from jobs.runtime.config import Config
from jobs.runtime.job import Options


def rulebook(config: Config) -> Typologies:
    """The rules, what explains them, and their words.

    Raises:
        ConfigError: naming every fault in the file.
    """
    known: dict[Subject, tuple[FeatureDefinition, ...]] = {
        "member": (*MEMBER_FEATURES, *MEMBER_RING_FEATURES, *RESEMBLANCE_FEATURES),
        "institution": INSTITUTION_DRUG_FEATURES,
        "doctor": DOCTOR_FEATURES,
    }
    return load_typologies(config.detect.typologies, known)


def check_rules(config: Config, options: Options) -> None:
    """Faults of the rules show before Spark starts."""
    rulebook(config)
