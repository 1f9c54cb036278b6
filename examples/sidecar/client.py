# pip install boto3
import boto3

bedrock = boto3.client("bedrock-runtime")
answer = bedrock.converse(
    modelId="eu.anthropic.claude-3-haiku-20240307-v1:0",
    messages=[{"role": "user", "content": [{"text": "What is a deductible?"}]}],
)
print(answer["output"]["message"]["content"][0]["text"])
