"""All targets of fuzzing, by name."""

from tests.fuzz.bodies import BODIES
from tests.fuzz.files import FILES
from tests.fuzz.texts import TEXTS

TARGETS = {target.name: target for target in (*TEXTS, *FILES, *BODIES)}
