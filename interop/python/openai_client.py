"""The openai package, unmodified, as a client of a gateway: base URL and key come from the environment.

Prints one line a check, "ok <what>"; the first that fails ends the program with an error.
"""

import asyncio

import openai

PROMPT = [{"role": "user", "content": "add 17 25"}]


def check(what, holds, seen=None):
    if not holds:
        raise SystemExit(f"failed: {what}: {seen!r}")
    print("ok", what)


def raises(what, kind, call, status, code=None):
    try:
        answer = call()
    except kind as error:
        # The class itself: RateLimitError, say, is an APIStatusError too.
        check(f"{what} is {kind.__name__}", type(error) is kind, error)
        check(f"{what} has status {status}", error.status_code == status, error)
        check(f"{what} says why", isinstance(error.body, dict) and len(error.body["message"]) > 10, error.body)
        if code is not None:
            check(f"{what} has code {code}", error.code == code, error.body)
    except Exception as error:  # noqa: BLE001
        raise SystemExit(f"failed: {what}: expected {kind.__name__}, got {error!r}") from error
    else:
        raise SystemExit(f"failed: {what}: expected {kind.__name__}, got {answer!r}")


def streamed(client, model, **more):
    """Text, finish reason and usage of a streamed answer, and the number of its chunks."""
    text, finish, usage, chunks = "", None, None, 0
    for chunk in client.chat.completions.create(
        model=model, messages=PROMPT, temperature=0, max_tokens=32, stream=True, **more
    ):
        chunks += 1
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return text, finish, usage, chunks


def chats(client, model):
    answer = client.chat.completions.create(model=model, messages=PROMPT, temperature=0, max_tokens=32)
    plain = answer.choices[0].message.content
    check(f"{model} answers", answer.object == "chat.completion" and bool(plain), answer)
    check(f"{model} finishes", answer.choices[0].finish_reason in ("stop", "length"), answer)
    usage = answer.usage
    check(
        f"{model} counts tokens",
        usage.prompt_tokens > 0
        and usage.completion_tokens > 0
        and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens,
        usage,
    )
    text, finish, _, chunks = streamed(client, model)
    check(f"{model} streams the same text", text == plain, (text, plain))
    check(f"{model} streams in several chunks", chunks > 2, chunks)
    check(f"{model} finishes its stream", finish == answer.choices[0].finish_reason, finish)
    text, _, counted, _ = streamed(client, model, stream_options={"include_usage": True})
    check(f"{model} counts a stream's tokens", text == plain and counted == usage, (counted, usage))


def models(client):
    ids = [model.id for model in client.models.list()]
    check("models are listed", ids == ["millstone", "grist"], ids)
    for name in ids:
        model = client.models.retrieve(name)
        check(f"{name} is retrieved", model.id == name and model.object == "model", model)
    return ids


def errors(client, model):
    create = client.chat.completions.create
    raises(
        "unknown model",
        openai.NotFoundError,
        lambda: create(model="no-such-model", messages=PROMPT),
        404,
        "model_not_found",
    )
    raises(
        "unknown model in a stream",
        openai.NotFoundError,
        lambda: list(create(model="no-such-model", messages=PROMPT, stream=True)),
        404,
        "model_not_found",
    )
    raises("retrieving an unknown model", openai.NotFoundError, lambda: client.models.retrieve("no-such-model"), 404)
    raises(
        "unknown role",
        openai.BadRequestError,
        lambda: create(model=model, messages=[{"role": "wizard", "content": "x"}]),
        400,
    )
    raises("no messages", openai.BadRequestError, lambda: create(model=model, messages=[]), 400)
    raises(
        "temperature out of range", openai.BadRequestError, lambda: create(model=model, messages=PROMPT, temperature=9), 400
    )
    stranger = client.with_options(api_key="rk-not-a-key")
    raises("wrong key", openai.AuthenticationError, lambda: stranger.models.list(), 401, "invalid_api_key")
    raises(
        "wrong key in a chat",
        openai.AuthenticationError,
        lambda: stranger.chat.completions.create(model=model, messages=PROMPT),
        401,
        "invalid_api_key",
    )


async def together(names):
    """Several at once, the asynchronous way."""
    async with openai.AsyncOpenAI(max_retries=0) as client:
        calls = [
            client.chat.completions.create(model=name, messages=PROMPT, temperature=0, max_tokens=32)
            for name in names * 2
        ]
        answers = await asyncio.gather(*calls)
        texts = [answer.choices[0].message.content for answer in answers]
        check("equal questions have equal answers", texts[: len(names)] == texts[len(names) :], texts)
        async with client.chat.completions.stream(model=names[0], messages=PROMPT, temperature=0) as stream:
            final = await stream.get_final_completion()
        check("the streaming helper sees the whole answer", final.choices[0].message.content == texts[0], final)


def main():
    with openai.OpenAI(max_retries=0) as client:
        names = models(client)
        for name in names:
            chats(client, name)
        errors(client, names[0])
    asyncio.run(together(names))


main()
