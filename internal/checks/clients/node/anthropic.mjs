// @anthropic-ai/bedrock-sdk, as a program uses it: base URL (ANTHROPIC_BEDROCK_BASE_URL),
// region and keys come from the environment.
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";

const tools = {
  tools: [{
    name: "weather",
    description: "The weather of a city",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  }],
  tool_choice: { type: "tool", name: "weather" },
};

export async function anthropic(order, told) {
  const client = new AnthropicBedrock({
    maxRetries: 1,
    ...(order.unsigned ? { skipAuth: true } : {}),
    ...(order.guardrail
      ? { defaultHeaders: { "X-Amzn-Bedrock-GuardrailIdentifier": order.guardrail, "X-Amzn-Bedrock-GuardrailVersion": "1" } }
      : {}),
  });
  await calls[order.do](client, order, told);
}

const request = (order, more) => ({
  model: order.model,
  max_tokens: 100,
  messages: [{ role: "user", content: order.prompt }],
  ...more,
});

const answered = (told, message) => {
  told.text = "";
  for (const block of message.content) {
    told.text += block.text ?? "";
    if (block.type === "tool_use") told.tool = { name: block.name, input: block.input };
  }
  told.stop = message.stop_reason;
};

const streamed = async (told, stream) => {
  stream.on("text", (text) => {
    told.events++;
    told.text += text;
  });
  answered(told, await stream.finalMessage());
};

const calls = {
  async unary(client, order, told) {
    answered(told, await client.messages.create(request(order)));
  },
  async tools(client, order, told) {
    answered(told, await client.messages.create(request(order, tools)));
  },
  async stream(client, order, told) {
    await streamed(told, client.messages.stream(request(order)));
  },
  async "tools-stream"(client, order, told) {
    await streamed(told, client.messages.stream(request(order, tools)));
  },
  // The stream without the helper that assembles a message.
  async "raw-stream"(client, order, told) {
    for await (const event of await client.messages.create(request(order, { stream: true }))) {
      told.events++;
      told.text += event.delta?.text ?? "";
      told.stop = event.delta?.stop_reason ?? told.stop;
    }
  },
};
