"""``bedrockagentcore:invokeHarness``: the stream of an agent's conversation as one answer.

"Invoke Amazon Bedrock AgentCore harness with Step Functions" in the Developer Guide: the answer has the shape of
Converse's.  It has the text of the last message of the assistant; tokens and time are those of all messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.resources.aws.shapes import TooLarge
from asl_engine.resources.http import bounds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.json_values import Json

__all__ = ["conversation"]

TOKENS: Final = {"inputTokens": "InputTokens", "outputTokens": "OutputTokens", "totalTokens": "TotalTokens"}


def conversation(events: Iterable[dict[str, Any]]) -> dict[str, Json]:
    """The task's result from the events of InvokeHarness.  Raises ``TooLarge``, and what the stream raises."""
    role, reason = "", ""
    content: list[Json] = []
    texts: dict[int, list[str]] = {}
    usage = dict.fromkeys(TOKENS.values(), 0)
    latency = size = 0
    for event in events:
        match event:
            case {"messageStart": {"role": role}}:
                texts, size = {}, 0
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": text}}}:
                size += len(text)
                if size > bounds.LARGEST_STREAM:
                    raise TooLarge
                texts.setdefault(index, []).append(text)
            case {"messageStop": {"stopReason": stopped}} if role == "assistant":
                reason, content = stopped, [{"Text": "".join(texts[index])} for index in sorted(texts)]
            case {"metadata": told}:
                for member, field in TOKENS.items():
                    usage[field] += told.get("usage", {}).get(member, 0)
                latency += told.get("metrics", {}).get("latencyMs", 0)
            case _:
                pass  # tools and reasoning are no part of the answer
    return {
        "Metrics": {"LatencyMs": latency},
        "Output": {"Message": {"Content": content, "Role": "assistant"}},
        "StopReason": reason,
        "Usage": {**usage},
    }
