// @aws-sdk/client-bedrock-runtime, as a program uses it: the endpoint, the region and the
// keys come from the environment.
import * as bedrock from "@aws-sdk/client-bedrock-runtime";

const weather = {
  tools: [{
    toolSpec: {
      name: "weather",
      description: "The weather of a city",
      inputSchema: { json: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
    },
  }],
  toolChoice: { tool: { name: "weather" } },
};

export async function aws(order, told) {
  const client = new bedrock.BedrockRuntimeClient(order.unsigned ? { signer: { sign: async (request) => request } } : {});
  try {
    await calls[order.do](client, order, told);
  } finally {
    client.destroy();
  }
}

function converse(order, tools) {
  return {
    modelId: order.model,
    messages: [{ role: "user", content: [{ text: order.prompt }] }],
    ...(tools ? { toolConfig: weather } : {}),
    ...(order.guardrail ? { guardrailConfig: { guardrailIdentifier: order.guardrail, guardrailVersion: "1" } } : {}),
  };
}

function invoke(order) {
  return {
    modelId: order.model,
    contentType: "application/json",
    accept: "application/json",
    body: JSON.stringify({
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 100,
      messages: [{ role: "user", content: order.prompt }],
    }),
    ...(order.guardrail ? { guardrailIdentifier: order.guardrail, guardrailVersion: "1" } : {}),
  };
}

const answered = (told, out) => {
  for (const block of out.output.message.content) {
    told.text += block.text ?? "";
    if (block.toolUse) told.tool = { name: block.toolUse.name, input: block.toolUse.input };
  }
  told.stop = out.stopReason;
  told.requestId = out.$metadata.requestId;
  told.tokens = out.usage.totalTokens;
};

const streamed = async (told, out) => {
  told.requestId = out.$metadata.requestId;
  let input = "";
  for await (const event of out.stream) {
    told.events++;
    told.text += event.contentBlockDelta?.delta?.text ?? "";
    input += event.contentBlockDelta?.delta?.toolUse?.input ?? "";
    const use = event.contentBlockStart?.start?.toolUse;
    if (use) told.tool = { name: use.name };
    if (event.messageStop) told.stop = event.messageStop.stopReason;
    if (event.metadata) told.tokens = event.metadata.usage.totalTokens;
  }
  if (told.tool) told.tool.input = JSON.parse(input);
};

const calls = {
  async unary(client, order, told) {
    answered(told, await client.send(new bedrock.ConverseCommand(converse(order))));
  },
  async tools(client, order, told) {
    answered(told, await client.send(new bedrock.ConverseCommand(converse(order, true))));
  },
  async stream(client, order, told) {
    await streamed(told, await client.send(new bedrock.ConverseStreamCommand(converse(order))));
  },
  async "tools-stream"(client, order, told) {
    await streamed(told, await client.send(new bedrock.ConverseStreamCommand(converse(order, true))));
  },
  async invoke(client, order, told) {
    const out = await client.send(new bedrock.InvokeModelCommand(invoke(order)));
    const body = JSON.parse(out.body.transformToString());
    told.text = body.content[0].text;
    told.stop = body.stop_reason;
    told.requestId = out.$metadata.requestId;
  },
  async "invoke-stream"(client, order, told) {
    const out = await client.send(new bedrock.InvokeModelWithResponseStreamCommand(invoke(order)));
    told.requestId = out.$metadata.requestId;
    for await (const event of out.body) {
      told.events++;
      const part = JSON.parse(new TextDecoder().decode(event.chunk.bytes));
      told.text += part.delta?.text ?? "";
      told.stop = part.delta?.stop_reason ?? told.stop;
    }
  },
  async "count-tokens"(client, order, told) {
    const out = await client.send(new bedrock.CountTokensCommand({
      modelId: order.model,
      input: { converse: { messages: converse(order).messages } },
    }));
    told.tokens = out.inputTokens;
  },
  async "apply-guardrail"(client, order, told) {
    const out = await client.send(new bedrock.ApplyGuardrailCommand({
      guardrailIdentifier: order.guardrail,
      guardrailVersion: "1",
      source: "INPUT",
      content: [{ text: { text: order.prompt } }],
    }));
    told.stop = out.action;
    told.text = out.outputs[0]?.text ?? "";
  },
  async "list-async"(client, order, told) {
    const out = await client.send(new bedrock.ListAsyncInvokesCommand({ maxResults: 5 }));
    told.events = out.asyncInvokeSummaries.length;
  },
  async "start-async"(client, order, told) {
    const out = await client.send(new bedrock.StartAsyncInvokeCommand({
      modelId: order.model,
      modelInput: { text: order.prompt },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://example" } },
    }));
    told.text = out.invocationArn;
  },
  async duplex(client, order, told) {
    const out = await client.send(new bedrock.InvokeModelWithBidirectionalStreamCommand({
      modelId: order.model,
      body: (async function* () {
        for (const word of order.prompt.split(" ")) {
          yield { chunk: { bytes: new TextEncoder().encode(JSON.stringify({ event: { text: word } })) } };
        }
      })(),
    }));
    for await (const event of out.body) {
      told.events++;
      told.text += new TextDecoder().decode(event.chunk.bytes);
    }
  },
};
