// @ai-sdk/amazon-bedrock under the AI SDK's generateText and streamText, as a program uses
// them: the endpoint (AWS_ENDPOINT_URL_BEDROCK_RUNTIME), the region and the keys come from
// the environment.
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { generateText, jsonSchema, streamText, tool } from "ai";

const weather = {
  tools: {
    weather: tool({
      description: "The weather of a city",
      inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
    }),
  },
  toolChoice: { type: "tool", toolName: "weather" },
};

export async function ai(order, told) {
  const provider = createAmazonBedrock();
  await calls[order.do]({
    model: provider(order.model),
    prompt: order.prompt,
    maxRetries: 1,
    ...(order.guardrail
      ? { providerOptions: { amazonBedrock: { guardrailConfig: { guardrailIdentifier: order.guardrail, guardrailVersion: "1" } } } }
      : {}),
  }, told);
}

const answered = (told, out) => {
  told.text = out.text;
  told.stop = out.finishReason;
  told.tokens = out.usage.totalTokens;
  if (out.toolCalls.length > 0) told.tool = { name: out.toolCalls[0].toolName, input: out.toolCalls[0].input };
};

const streamed = async (told, request) => {
  const calls = [];
  // streamText reports a failed stream to onError and as a part, and throws nothing.
  for await (const part of streamText({ ...request, onError: () => {} }).fullStream) {
    told.events++;
    if (part.type === "text-delta") told.text += part.text;
    if (part.type === "tool-call") calls.push(part);
    if (part.type === "error") throw part.error;
    if (part.type === "finish") {
      told.stop = part.finishReason;
      told.tokens = part.totalUsage.totalTokens;
    }
  }
  if (calls.length > 0) told.tool = { name: calls[0].toolName, input: calls[0].input };
};

const calls = {
  async unary(request, told) {
    answered(told, await generateText(request));
  },
  async tools(request, told) {
    answered(told, await generateText({ ...request, ...weather }));
  },
  async stream(request, told) {
    await streamed(told, request);
  },
  async "tools-stream"(request, told) {
    await streamed(told, { ...request, ...weather });
  },
};
