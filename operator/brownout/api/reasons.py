"""Every reason Brownout gives, as one word; messages carry the numbers.

Reasons appear in status, conditions, events and metrics, and people write alerts on them: they are part of the API.
"""

from enum import StrEnum


class MissingReason(StrEnum):
    """Why a signal has no number."""

    NO_DATA = "NoData"
    NO_TRAFFIC = "NoTraffic"
    INFINITE = "Infinite"
    SEVERAL_SERIES = "SeveralSeries"
    NOT_A_NUMBER = "NotANumber"
    STALE = "Stale"
    BAD_QUERY = "BadQuery"
    SOURCE_DOWN = "SourceDown"
    SOURCE_MISSING = "SourceMissing"
    TIMED_OUT = "TimedOut"
    TOO_LARGE = "TooLarge"
    BAD_ANSWER = "BadAnswer"


class DecisionReason(StrEnum):
    """Why the level changed or stayed."""

    CALM = "Calm"
    PENDING = "Pending"
    ESCALATED = "Escalated"
    HOLDING = "Holding"
    RECOVERING = "Recovering"
    RECOVERED = "Recovered"
    SETTLING = "Settling"
    BLIND = "Blind"
    GIVING_BACK = "GivingBack"
    LEVEL_REMOVED = "LevelRemoved"
    OVERRIDE_ENDED = "OverrideEnded"
    ADOPTED = "Adopted"


class BlockedReason(StrEnum):
    """Why an action or one of its targets is not taken."""

    CRITICALITY = "Criticality"
    PROTECTED = "Protected"
    OPERATOR = "Operator"
    CONTROLLED = "Controlled"
    AUTOSCALER = "Autoscaler"
    FINISHED = "Finished"
    VOLUMES = "Volumes"
    IMMUTABLE = "Immutable"
    TOO_LARGE = "TooLarge"
    HELD_BY_OTHER = "HeldByOther"
    MAX_TARGETS = "MaxTargets"
    ADMISSION = "Admission"
    NOT_FOUND = "NotFound"
    KEY_NOT_FOUND = "KeyNotFound"
    VARIANT_NOT_FOUND = "VariantNotFound"
    FORBIDDEN = "Forbidden"
    ILLEGIBLE_LEDGER = "IllegibleLedger"
    LOST_LEDGER = "LostLedger"
    RELEASED = "Released"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class Result(StrEnum):
    """What came of a step."""

    DONE = "Done"
    UNCHANGED = "Unchanged"
    ADJUSTED = "Adjusted"
    BLOCKED = "Blocked"
    CONFLICT = "Conflict"
    FAILED = "Failed"
    UNSETTLED = "Unsettled"
    RELEASED = "Released"
    PLANNED = "Planned"
