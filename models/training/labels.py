"""The label sets of the heads that are trained with the encoder, and how public data sets map onto them.

The order of each list is the order of the model's outputs; the manifest repeats it, and the service reads it there.
"""

EMOTIONS = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust "
    "embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse "
    "sadness surprise neutral"
).split()

SENTIMENTS = ["negative", "neutral", "positive"]

CUES = (
    "supervisor_request formal_complaint legal_threat regulator_threat churn_intent payment_dispute "
    "public_exposure_threat repeat_contact unresolved_issue urgency safety_risk abusive_language vulnerability "
    "fraud_or_privacy purchase_interest onboarding_difficulty expansion_interest renewal_hesitation "
    "resolution_confirmed advocacy"
).split()

# GoEmotions' published grouping (Demszky et al., ACL 2020).
POSITIVE = set(
    "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief".split()
)
NEGATIVE = set(
    "anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse sadness".split()
)
AMBIGUOUS = set("confusion curiosity realization surprise".split())

EKMAN = {
    "anger": ["anger", "annoyance", "disapproval"],
    "disgust": ["disgust"],
    "fear": ["fear", "nervousness"],
    "joy": [
        "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism", "relief", "pride",
        "admiration", "desire", "caring",
    ],
    "sadness": ["sadness", "disappointment", "embarrassment", "grief", "remorse"],
    "surprise": ["surprise", "realization", "confusion", "curiosity"],
    "neutral": ["neutral"],
}


def sentiment_of_emotions(names):
    """Sentiment class that a set of GoEmotions labels implies, or None where it says both or leaves it open."""
    positive, negative = bool(set(names) & POSITIVE), bool(set(names) & NEGATIVE)
    if positive and negative:
        return None
    if positive:
        return "positive"
    if negative:
        return "negative"
    return "neutral"
