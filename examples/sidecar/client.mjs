// npm install @anthropic-ai/bedrock-sdk
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";

const client = new AnthropicBedrock();
const message = await client.messages.create({
  model: "eu.anthropic.claude-3-haiku-20240307-v1:0",
  max_tokens: 200,
  messages: [{ role: "user", content: "What is a deductible?" }],
});
console.log(message.content[0].text);
