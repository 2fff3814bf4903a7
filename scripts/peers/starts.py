# SPDX-License-Identifier: MIT
"""The starts of trpo-bench's evaluation episodes, for environments of Gymnasium.

trpo-bench's own plugin makes the state of the episode's key, and Gymnasium's environment is put into that state: all
programs are measured on the same episodes.
"""

import ctypes
import os

import numpy as np

import episodes
import keys


class Key(ctypes.Structure):
    _fields_ = [("w", ctypes.c_uint64 * 2)]


POINTER, U32, U64, STRING = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p
STATUS = ctypes.c_int32


def function(result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)


LOG = function(None, POINTER, STATUS, STRING)
GET_EXTENSION = function(POINTER, POINTER, STRING)
GET_PARAM = function(STATUS, POINTER, STRING, POINTER)
GET_ARRAY = function(STATUS, POINTER, STRING, POINTER, U64, POINTER)


class Host(ctypes.Structure):
    _fields_ = [("struct_size", U32), ("abi_minor", U32), ("ctx", POINTER), ("name", STRING), ("version", STRING),
                ("log", LOG), ("get_extension", GET_EXTENSION)]


class Params(ctypes.Structure):
    _fields_ = [("struct_size", U32), ("reserved0", U32), ("ctx", POINTER), ("get_i64", GET_PARAM),
                ("get_f64", GET_PARAM), ("get_bool", GET_PARAM), ("get_str", GET_PARAM), ("get_f64_array", GET_ARRAY),
                ("get_i64_array", GET_ARRAY)]


class EnvApi(ctypes.Structure):
    _fields_ = [("struct_size", U32), ("reserved0", U32), ("destroy", function(None, POINTER)), ("space", POINTER),
                ("reset", function(STATUS, POINTER, ctypes.POINTER(Key), POINTER)), ("step", POINTER),
                ("last_error", function(STRING, POINTER)), ("get_extension", function(POINTER, POINTER, STRING))]


class EnvFactory(ctypes.Structure):
    _fields_ = [("struct_size", U32), ("reserved0", U32), ("count", POINTER), ("describe", POINTER),
                ("create", function(STATUS, ctypes.POINTER(Host), STRING, ctypes.POINTER(Params),
                                    ctypes.POINTER(ctypes.POINTER(EnvApi)), ctypes.POINTER(POINTER), STRING, U64))]


class StateVector(ctypes.Structure):
    _fields_ = [("struct_size", U32), ("reserved0", U32), ("count", function(U64, POINTER)), ("name", POINTER),
                ("get", function(STATUS, POINTER, ctypes.POINTER(ctypes.c_double))), ("set", POINTER)]


class Entry(ctypes.Structure):
    _fields_ = [("magic", U64), ("struct_size", U32), ("abi_major", U32), ("abi_minor", U32), ("min_host_minor", U32),
                ("layout_crc", U32), ("cpu_required", U32), ("build", STRING),
                ("init", function(STATUS, ctypes.POINTER(Host))), ("deinit", POINTER),
                ("get_factory", function(POINTER, STRING))]


ABI_MAGIC = 0x3142415F42505254
PLUGINS = {"CartPole-v1": "cartpole", "Acrobot-v1": "acrobot", "MountainCar-v0": "mountain_car",
           "Pendulum-v1": "pendulum", "MountainCarContinuous-v0": "mountain_car_continuous"}
TASKS = tuple(PLUGINS)
OBSERVATIONS = {"CartPole-v1": 4, "Acrobot-v1": 6, "MountainCar-v0": 2, "Pendulum-v1": 3,
                "MountainCarContinuous-v0": 2}


class Starts:
    """One environment of a trpo-bench plugin, created with its default parameters; asked for first states alone."""

    def __init__(self, plugins, task):
        path = os.path.join(plugins, PLUGINS[task] + ".so")
        self.library = ctypes.CDLL(os.path.abspath(path), mode=os.RTLD_NOW | os.RTLD_LOCAL)
        self.library.tb_plugin_entry.restype = ctypes.POINTER(Entry)
        entry = self.library.tb_plugin_entry().contents
        if entry.magic != ABI_MAGIC or entry.abi_major != 1:
            raise RuntimeError(f"{path}: no trpo-bench plugin of ABI 1; build the release preset again")
        self.host = Host(ctypes.sizeof(Host), 0, None, b"trpo-bench", b"peers", LOG(lambda *_: None),
                         GET_EXTENSION(lambda *_: None))
        default, array = GET_PARAM(lambda *_: 0), GET_ARRAY(lambda *_: 0)
        self.params = Params(ctypes.sizeof(Params), 0, None, default, default, default, default, array, array)
        if entry.init and entry.init(self.host) != 0:
            raise RuntimeError(f"{path}: its init() failed")
        factory = ctypes.cast(entry.get_factory(b"tb.env-factory/1"), ctypes.POINTER(EnvFactory)).contents
        api, why = ctypes.POINTER(EnvApi)(), ctypes.create_string_buffer(256)
        self.env = POINTER()
        if factory.create(self.host, b"classic/" + task.encode(), self.params, api, self.env, why, 256) != 0:
            raise RuntimeError(f"{path}: classic/{task}: {why.value.decode()}")
        self.api = api.contents
        extension = self.api.get_extension(self.env, b"tb.env.state-vector/1")
        self.state_vector = ctypes.cast(extension, ctypes.POINTER(StateVector)).contents
        self.n_state = self.state_vector.count(self.env)
        self.n_observation = OBSERVATIONS[task]

    def start(self, seed, purpose, episode):
        """(state, observation) at the start of an evaluation episode of run `seed`: float64, float32."""
        key = Key((U64 * 2)(*keys.stream_key(seed, purpose, 0, episode)))
        observation = np.zeros(self.n_observation, np.float32)
        state = np.zeros(self.n_state)
        status = self.api.reset(self.env, key, observation.ctypes.data_as(POINTER))
        if status == 0:
            status = self.state_vector.get(self.env, state.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        if status != 0:
            raise RuntimeError(f"reset of an evaluation episode failed: {self.api.last_error(self.env).decode()}")
        return state, observation


class Episodes(episodes.Seeded):
    """Gymnasium environments for evaluation, started where trpo-bench starts."""

    def __init__(self, options, task):
        super().__init__(options, task)
        self.starts = Starts(options.plugins, task)

    def reset(self, i, seed, purpose, episode):
        """Puts environment i at the start of an episode; returns the observation."""
        env = self.env(i)
        env.reset(seed=0)
        state, observation = self.starts.start(seed, purpose, episode)
        inner = env.unwrapped
        # in double, Acrobot's too: its own start is rounded to single (as the plugin's is), but sines of singles are less
        # exact than the plugin's; from the first step on it is in double anyway
        inner.state = state
        shown = self.shown(inner)
        if not np.array_equal(shown, observation):
            raise RuntimeError(f"{self.task}: Gymnasium shows {shown}, trpo-bench {observation} for the same state")
        return observation

    def shown(self, inner):
        for name in ("_get_ob", "_get_obs"):
            if hasattr(inner, name):
                return getattr(inner, name)()
        return np.array(inner.state, dtype=np.float32)
