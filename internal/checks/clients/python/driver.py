"""Runs one boto3 call for each line of stdin, a JSON object {do, ...}, and writes one JSON
line with what boto3 told its caller. The process ends with its input.

The region and the keys come from the environment. So does the endpoint, unless the line
has one: boto3 of 2022 reads no endpoint from the environment."""

import json
import sys

import boto3
import botocore
from botocore import UNSIGNED
from botocore.config import Config

WEATHER = {
    "tools": [
        {
            "toolSpec": {
                "name": "weather",
                "description": "The weather of a city",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    }
                },
            }
        }
    ],
    "toolChoice": {"tool": {"name": "weather"}},
}


def converse(order, tools=False):
    args = {
        "modelId": order["model"],
        "messages": [{"role": "user", "content": [{"text": order["prompt"]}]}],
    }
    if tools:
        args["toolConfig"] = WEATHER
    if order.get("guardrail"):
        args["guardrailConfig"] = {"guardrailIdentifier": order["guardrail"], "guardrailVersion": "1"}
    return args


def invoke(order):
    args = {
        "modelId": order["model"],
        "contentType": "application/json",
        "accept": "application/json",
        "body": json.dumps(
            {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 100,
                "messages": [{"role": "user", "content": order["prompt"]}],
            }
        ),
    }
    if order.get("guardrail"):
        args.update(guardrailIdentifier=order["guardrail"], guardrailVersion="1")
    return args


def answered(told, out):
    for block in out["output"]["message"]["content"]:
        told["text"] += block.get("text", "")
        if "toolUse" in block:
            told["tool"] = {"name": block["toolUse"]["name"], "input": block["toolUse"]["input"]}
    told["stop"] = out["stopReason"]
    told["tokens"] = out["usage"]["totalTokens"]
    told["requestId"] = out["ResponseMetadata"].get("RequestId")


def streamed(told, out):
    told["requestId"] = out["ResponseMetadata"].get("RequestId")
    arguments = ""
    for event in out["stream"]:
        told["events"] += 1
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        told["text"] += delta.get("text", "")
        arguments += delta.get("toolUse", {}).get("input", "")
        start = event.get("contentBlockStart", {}).get("start", {})
        if "toolUse" in start:
            told["tool"] = {"name": start["toolUse"]["name"]}
        if "messageStop" in event:
            told["stop"] = event["messageStop"]["stopReason"]
        if "metadata" in event:
            told["tokens"] = event["metadata"]["usage"]["totalTokens"]
    if "tool" in told:
        told["tool"]["input"] = json.loads(arguments)


def unary_invoke(client, order, told):
    out = client.invoke_model(**invoke(order))
    body = json.loads(out["body"].read())
    told["text"] = body["content"][0]["text"]
    told["stop"] = body.get("stop_reason")  # a guardrail's answer has none
    told["requestId"] = out["ResponseMetadata"].get("RequestId")


def streamed_invoke(client, order, told):
    out = client.invoke_model_with_response_stream(**invoke(order))
    told["requestId"] = out["ResponseMetadata"].get("RequestId")
    for event in out["body"]:
        told["events"] += 1
        part = json.loads(event["chunk"]["bytes"])
        delta = part.get("delta", {})
        told["text"] += delta.get("text", "")
        told["stop"] = delta.get("stop_reason", told.get("stop"))


def count_tokens(client, order, told):
    out = client.count_tokens(modelId=order["model"], input={"converse": {"messages": converse(order)["messages"]}})
    told["tokens"] = out["inputTokens"]


def apply_guardrail(client, order, told):
    out = client.apply_guardrail(
        guardrailIdentifier=order["guardrail"],
        guardrailVersion="1",
        source="INPUT",
        content=[{"text": {"text": order["prompt"]}}],
    )
    told["stop"] = out["action"]
    told["text"] = out["outputs"][0]["text"] if out["outputs"] else ""


def list_async(client, order, told):
    told["events"] = len(client.list_async_invokes(maxResults=5)["asyncInvokeSummaries"])


def start_async(client, order, told):
    out = client.start_async_invoke(
        modelId=order["model"],
        modelInput={"text": order["prompt"]},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://example"}},
    )
    told["text"] = out["invocationArn"]


CALLS = {
    "unary": lambda client, order, told: answered(told, client.converse(**converse(order))),
    "tools": lambda client, order, told: answered(told, client.converse(**converse(order, True))),
    "stream": lambda client, order, told: streamed(told, client.converse_stream(**converse(order))),
    "tools-stream": lambda client, order, told: streamed(told, client.converse_stream(**converse(order, True))),
    "invoke": unary_invoke,
    "invoke-stream": streamed_invoke,
    "count-tokens": count_tokens,
    "apply-guardrail": apply_guardrail,
    "list-async": list_async,
    "start-async": start_async,
}


def describe(error):
    """Names an error as a program sees it: its class, and what its fields say."""
    response = getattr(error, "response", None) or {}
    return {
        "class": type(error).__name__,
        "name": response.get("Error", {}).get("Code"),
        "status": response.get("ResponseMetadata", {}).get("HTTPStatusCode"),
        "message": str(error),
        "requestId": response.get("ResponseMetadata", {}).get("RequestId"),
        "retryAfter": response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after"),
    }


def main():
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "version":
            told = {"text": botocore.__version__}
        else:
            told = {"text": "", "events": 0}
            try:
                config = Config(signature_version=UNSIGNED) if order.get("unsigned") else None
                client = boto3.session.Session().client(
                    "bedrock-runtime", endpoint_url=order.get("endpoint"), config=config
                )
                CALLS[order["do"]](client, order, told)
            except Exception as error:  # whatever a program would have to handle
                told["error"] = describe(error)
        print(json.dumps(told), flush=True)


main()
