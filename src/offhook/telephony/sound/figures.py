"""Figures of what callers hear, for Prometheus."""

from prometheus_client import Counter

MADE_FROM = ("recording", "spoken", "tones", "nothing")

HEARD = Counter("offhook_prompts_heard", "Prompts played to callers, by what they were made from.", ["made_from"])
OTHERWISE = Counter(
    "offhook_prompts_heard_otherwise", "Prompts that were to be made from something else, and were not in time."
)
MADE = Counter("offhook_sounds_made", "Sounds that were made, and that could not be.", ["outcome"])
OUTCOMES = ("made", "failed")

for _one in MADE_FROM:
    HEARD.labels(_one)
for _one in OUTCOMES:
    MADE.labels(_one)
