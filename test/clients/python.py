# Python's `openai` package through a base URL: prints, one JSON line per call, what the client itself saw. Judges nothing.
# Usage: python3 python.py <base URL> [<key>]

import json
import sys

from openai import OpenAI

url = sys.argv[1]
key = sys.argv[2] if len(sys.argv) > 2 else "sandbox"
client = OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)
model = "gpt-4o-mini"


def prompt(**wanted):
    controls = " ".join(name.replace("_", "-") + "=" + str(value) for name, value in wanted.items())
    return "What does a call cost? [[sandbox " + controls + "]]"


def report(name, headers, text, **seen):
    line = {"name": name, "call": headers.get("x-pennyworth-call"), "cost": headers.get("x-pennyworth-cost")}
    print(json.dumps({**line, "textLength": len(text), **seen}), flush=True)


def ask(**wanted):
    return [{"role": "user", "content": prompt(**wanted)}]


raw = client.chat.completions.with_raw_response.create(
    model=model, messages=ask(input_tokens=1100, output_tokens=60, cache_read_tokens=256)
)
data = raw.parse()
report("chat", raw.headers, data.choices[0].message.content, id=data.id, model=data.model, usage=data.usage.model_dump())

raw = client.chat.completions.with_raw_response.create(
    model=model,
    messages=ask(input_tokens=222, output_tokens=33),
    stream=True,
    stream_options={"include_usage": True},
)
text, usage, last = "", None, None
for chunk in raw.parse():
    last = chunk
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    if chunk.usage is not None:
        usage = chunk.usage.model_dump()
report("chat stream with usage", raw.headers, text, id=last.id, model=last.model, usage=usage)

raw = client.responses.with_raw_response.create(
    model="gpt-5-mini", input=prompt(input_tokens=500, output_tokens=150, reasoning_tokens=100)
)
data = raw.parse()
report("responses", raw.headers, data.output_text, id=data.id, model=data.model, usage=data.usage.model_dump())

raw = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input="what does it cost")
data = raw.parse()
report("embeddings", raw.headers, "", model=data.model, usage=data.usage.model_dump())
