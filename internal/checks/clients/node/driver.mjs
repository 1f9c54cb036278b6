// Runs one SDK call for each line of stdin, a JSON object {sdk, do, ...}, and writes one
// JSON line with what the SDK told its caller. The process ends with its input.
import { createInterface } from "node:readline";

// Each SDK is loaded when it is first asked for.
const sdks = {
  aws: async () => (await import("./aws.mjs")).aws,
  anthropic: async () => (await import("./anthropic.mjs")).anthropic,
  ai: async () => (await import("./ai.mjs")).ai,
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  // text grows while a stream is read, so that a broken stream shows what came before.
  const told = { text: "", events: 0 };
  try {
    const run = await sdks[order.sdk]();
    await run(order, told);
  } catch (error) {
    told.error = describe(error);
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}

// describe names an error as a program sees it: its class, and what its fields say.
function describe(error) {
  const last = error?.lastError ?? error; // the AI SDK's RetryError wraps the last error
  return {
    class: last?.constructor?.name ?? typeof last,
    name: last?.name,
    status: last?.$metadata?.httpStatusCode ?? last?.statusCode ?? last?.status,
    message: String(last?.message ?? last),
    requestId: last?.$metadata?.requestId ?? last?.requestID ?? undefined,
    retryable: last?.isRetryable ?? (last?.$retryable ? true : undefined),
    retryAfter:
      last?.$response?.headers?.["retry-after"] ?? last?.responseHeaders?.["retry-after"] ?? last?.headers?.get?.("retry-after") ?? undefined,
    wrapped: last === error ? undefined : error?.constructor?.name,
  };
}
