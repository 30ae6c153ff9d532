"""A notifier: posts each notice to a channel of Microsoft Teams as an Adaptive Card.

The address is that of a workflow "Post to a channel when a webhook request is
received", which takes the place of the connectors that Teams has retired.
"""

import watchkeeper
from watchkeeper import http, permanent

COLOURS = {"healthy": "Good", "sick": "Warning", "dead": "Attention"}

# So many targets are named; Teams takes messages of at most 28 KB.
MOST = 20

# So many characters of each text are sent, for the same reason.
LONGEST = 500

CONFIG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["workflow"],
    "properties": {
        # Its query holds the signature by which the workflow knows who may post.
        "workflow": {
            "type": "string",
            "format": "uri",
            "writeOnly": True,
            "description": "The address of the workflow's webhook trigger.",
        },
    },
}


def notify(config, notice, context):
    answer = http.post(config["workflow"], json=message(notice))
    if answer.status == 413:
        raise permanent("the card is larger than Teams takes")
    answer.delivered()


def message(notice):
    """The card in its envelope. It asks nobody anything, so that tests need no host."""
    title = {
        "type": "TextBlock",
        "text": cut(notice.title),
        "size": "Large",
        "weight": "Bolder",
        "color": COLOURS[notice.health],
        "wrap": True,
    }
    elements = [title]
    if notice.body:
        elements.append({"type": "TextBlock", "text": cut(notice.body), "wrap": True})
    if notice.affected:
        elements.append({"type": "FactSet", "facts": [fact(each) for each in notice.affected[:MOST]]})
    left = len(notice.affected) - MOST
    if left > 0:
        elements.append({"type": "TextBlock", "text": f"and {left} more", "isSubtle": True})
    actions = [{"type": "Action.OpenUrl", "title": notice.page_title, "url": notice.page_url}]
    if notice.incident_url:
        actions.insert(0, {"type": "Action.OpenUrl", "title": "Incident", "url": notice.incident_url})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": elements,
        "actions": actions,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def fact(affected):
    what = f"{affected.health}: {affected.reason}" if affected.reason else affected.health
    return {"title": f"{affected.service}: {affected.monitor}", "value": cut(what)}


def cut(text):
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


Notifier = watchkeeper.notifier(
    notify,
    name="teams",
    version="0.1.0",
    summary="Posts notices to a channel of Microsoft Teams",
    asks=["http"],
    config=CONFIG,
)
