// The openai package, unmodified, as a client of a gateway: base URL and key come from the environment.
// Prints one line a check, "ok <what>"; the first that fails ends the program with an error.

import OpenAI from "openai";

const PROMPT = [{ role: "user", content: "add 17 25" }];

function check(what, holds, seen) {
  if (!holds) {
    console.error(`failed: ${what}:`, seen);
    process.exit(1);
  }
  console.log("ok", what);
}

async function raises(what, kind, call, status, code) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    check(`${what} is ${kind.name}`, error.constructor === kind, error);
    check(`${what} has status ${status}`, error.status === status, error);
    check(`${what} says why`, typeof error.error?.message === "string" && error.error.message.length > 10, error.error);
    if (code) check(`${what} has code ${code}`, error.code === code, error.error);
    return;
  }
  check(`${what} is refused`, false, answer);
}

async function streamed(client, model, more = {}) {
  const stream = await client.chat.completions.create({
    model,
    messages: PROMPT,
    temperature: 0,
    max_tokens: 32,
    stream: true,
    ...more,
  });
  const seen = { text: "", finish: null, usage: null, chunks: 0 };
  for await (const chunk of stream) {
    seen.chunks += 1;
    seen.usage = chunk.usage ?? seen.usage;
    for (const choice of chunk.choices) {
      seen.text += choice.delta.content ?? "";
      seen.finish = choice.finish_reason ?? seen.finish;
    }
  }
  return seen;
}

async function chats(client, model) {
  const answer = await client.chat.completions.create({ model, messages: PROMPT, temperature: 0, max_tokens: 32 });
  const plain = answer.choices[0].message.content;
  check(`${model} answers`, answer.object === "chat.completion" && plain.length > 0, answer);
  const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
  check(
    `${model} counts tokens`,
    prompt_tokens > 0 && completion_tokens > 0 && total_tokens === prompt_tokens + completion_tokens,
    answer.usage,
  );
  const stream = await streamed(client, model);
  check(`${model} streams the same text`, stream.text === plain, stream);
  check(`${model} streams in several chunks`, stream.chunks > 2, stream);
  check(`${model} finishes its stream`, stream.finish === answer.choices[0].finish_reason, stream);
  const counted = await streamed(client, model, { stream_options: { include_usage: true } });
  check(`${model} counts a stream's tokens`, counted.usage?.total_tokens === total_tokens, counted);
}

async function models(client) {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  check("models are listed", names.join() === "millstone,grist", names);
  for (const name of names) {
    const model = await client.models.retrieve(name);
    check(`${name} is retrieved`, model.id === name && model.object === "model", model);
  }
  return names;
}

async function errors(client, model) {
  const create = (body) => client.chat.completions.create(body);
  const unknown = { model: "no-such-model", messages: PROMPT };
  await raises("unknown model", OpenAI.NotFoundError, () => create(unknown), 404, "model_not_found");
  const stream = { ...unknown, stream: true };
  await raises("unknown model in a stream", OpenAI.NotFoundError, () => create(stream), 404, "model_not_found");
  await raises("retrieving an unknown model", OpenAI.NotFoundError, () => client.models.retrieve("no-such-model"), 404);
  const wizard = { model, messages: [{ role: "wizard", content: "x" }] };
  await raises("unknown role", OpenAI.BadRequestError, () => create(wizard), 400);
  await raises("no messages", OpenAI.BadRequestError, () => create({ model, messages: [] }), 400);
  const hot = { model, messages: PROMPT, temperature: 9 };
  await raises("temperature out of range", OpenAI.BadRequestError, () => create(hot), 400);
  const stranger = client.withOptions({ apiKey: "rk-not-a-key" });
  await raises("wrong key", OpenAI.AuthenticationError, () => stranger.models.list(), 401, "invalid_api_key");
  const chat = () => stranger.chat.completions.create({ model, messages: PROMPT });
  await raises("wrong key in a chat", OpenAI.AuthenticationError, chat, 401, "invalid_api_key");
}

// A client that leaves in mid-stream leaves nothing behind that would disturb the next one.
async function leaves(client, model) {
  const body = { model, messages: PROMPT, temperature: 0, stream: true };
  const stream = await client.chat.completions.create(body);
  for await (const _ of stream) break;
  const again = await client.chat.completions.create({ ...body, stream: false });
  check("the next request after a broken-off stream is answered", again.choices.length === 1, again);
}

const client = new OpenAI({ maxRetries: 0 });
const names = await models(client);
for (const name of names) await chats(client, name);
await errors(client, names[0]);
await leaves(client, names[0]);
