# SPDX-License-Identifier: MIT
"""Transitions of Gymnasium's own MuJoCo v5 tasks, in the format that `trpo-bench replay` reads.

    build/mujoco/venv/bin/python tests/mujoco/record.py FOLDER              # what is committed (tests/data/mujoco)
    build/mujoco/venv/bin/python tests/mujoco/record.py FOLDER --seed 7     # other starts and actions
    build/mujoco/venv/bin/python tests/mujoco/record.py --schema list.json  # Gymnasium's keyword parameters beside ours
    build/mujoco/venv/bin/python tests/mujoco/record.py --resets ID N       # moments of Gymnasium's start states

Writes one CSV for each row of TRACES and traces.json, which names the environment, the parameters and the versions of each. State
columns are those of the plugin's state-vector/1: time, qpos, qvel, act, qacc_warmstart and, where a reward compares positions that
mj_step() leaves from before, that position. Behind the columns that replay knows stand the parts of the reward (term_*).
"""

import argparse
import inspect
import json
import os
import sys

# glibc's sine and cosine instead of numpy's own vector code: the same on every machine
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
import warnings

warnings.filterwarnings("ignore", message=".*NPY_DISABLE_CPU_FEATURES.*")
import gymnasium
import mujoco
import numpy

# by default MuJoCo writes warnings, of a model's old attribute for instance, into a file in the working folder
mujoco.set_mju_user_warning(lambda text: None)

# file, task, parameters, steps. Steps are few where a row is long.
TRACES = [
    ("InvertedPendulum-v5", "InvertedPendulum", {}, 300),
    ("InvertedPendulum-v5.other", "InvertedPendulum", {"frame_skip": 3, "reset_noise_scale": 0.05}, 60),
    ("InvertedDoublePendulum-v5", "InvertedDoublePendulum", {}, 300),
    ("InvertedDoublePendulum-v5.other", "InvertedDoublePendulum",
     {"frame_skip": 2, "healthy_reward": 3.5, "reset_noise_scale": 0.3}, 60),
    ("Reacher-v5", "Reacher", {}, 300),
    ("Reacher-v5.other", "Reacher", {"frame_skip": 3, "reward_dist_weight": 1.7, "reward_control_weight": 0.3}, 60),
    ("Pusher-v5", "Pusher", {}, 200),
    ("Pusher-v5.other", "Pusher",
     {"frame_skip": 3, "reward_near_weight": 0.8, "reward_dist_weight": 1.3, "reward_control_weight": 0.25}, 60),
    ("Swimmer-v5", "Swimmer", {}, 300),
    ("Swimmer-v5.other", "Swimmer",
     {"frame_skip": 2, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.01, "reset_noise_scale": 0.2,
      "exclude_current_positions_from_observation": False}, 60),
    ("Hopper-v5", "Hopper", {}, 300),
    ("Hopper-v5.other", "Hopper",
     {"frame_skip": 3, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.02, "healthy_reward": 0.7,
      "healthy_z_range": [0.9, 1.4], "healthy_angle_range": [-0.1, 0.3], "healthy_state_range": [-4.0, 5.0],
      "reset_noise_scale": 0.02, "exclude_current_positions_from_observation": False}, 60),
    ("Hopper-v5.endless", "Hopper",
     {"terminate_when_unhealthy": False, "healthy_z_range": [-1.0, 9.0], "healthy_angle_range": [-9.0, 9.0],
      "healthy_state_range": [-1.0, 3.0]}, 100),
    ("Walker2d-v5", "Walker2d", {}, 250),
    ("Walker2d-v5.other", "Walker2d",
     {"frame_skip": 3, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.02, "healthy_reward": 0.7,
      "healthy_z_range": [1.1, 1.5], "healthy_angle_range": [-0.3, 0.4], "reset_noise_scale": 0.02,
      "exclude_current_positions_from_observation": False}, 60),
    ("Walker2d-v5.endless", "Walker2d", {"terminate_when_unhealthy": False}, 100),
    ("HalfCheetah-v5", "HalfCheetah", {}, 250),
    ("HalfCheetah-v5.other", "HalfCheetah",
     {"frame_skip": 3, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.2, "reset_noise_scale": 0.3,
      "exclude_current_positions_from_observation": False}, 60),
    ("Ant-v5", "Ant", {}, 150),
    ("Ant-v5.other", "Ant",
     {"frame_skip": 3, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.3, "contact_cost_weight": 0.01, "healthy_reward": 0.7,
      "main_body": 4, "healthy_z_range": [0.4, 0.9], "contact_force_range": [-0.5, 2.0], "reset_noise_scale": 0.2,
      "exclude_current_positions_from_observation": False}, 40),
    ("Ant-v5.bare", "Ant", {"include_cfrc_ext_in_observation": False, "terminate_when_unhealthy": False}, 100),
    ("Humanoid-v5", "Humanoid", {}, 40),
    ("Humanoid-v5.other", "Humanoid",
     {"frame_skip": 3, "forward_reward_weight": 1.5, "ctrl_cost_weight": 0.3, "contact_cost_weight": 1e-4,
      "contact_cost_range": [0.5, 3.0], "healthy_reward": 2.5, "healthy_z_range": [1.2, 1.9], "reset_noise_scale": 0.05,
      "exclude_current_positions_from_observation": False, "include_cinert_in_observation": False,
      "include_qfrc_actuator_in_observation": False}, 40),
    ("Humanoid-v5.bare", "Humanoid",
     {"terminate_when_unhealthy": False, "include_cvel_in_observation": False, "include_cinert_in_observation": False,
      "include_cfrc_ext_in_observation": False}, 50),
    ("HumanoidStandup-v5", "HumanoidStandup", {}, 20),
    ("HumanoidStandup-v5.other", "HumanoidStandup",
     {"frame_skip": 3, "uph_cost_weight": 2.0, "ctrl_cost_weight": 0.3, "impact_cost_weight": 1e-4,
      "impact_cost_range": [0.5, 3.0], "reset_noise_scale": 0.05, "exclude_current_positions_from_observation": False,
      "include_cvel_in_observation": False, "include_cinert_in_observation": False,
      "include_cfrc_ext_in_observation": False}, 40),
    ("HumanoidStandup-v5.bare", "HumanoidStandup",
     {"include_cinert_in_observation": False, "include_qfrc_actuator_in_observation": False}, 15),
]
# parts of the reward in the order of the plugin's task
TERMS = {
    "InvertedPendulum": ["reward_survive"],
    "InvertedDoublePendulum": ["reward_survive", "distance_penalty", "velocity_penalty"],
    "Reacher": ["reward_dist", "reward_ctrl"],
    "Pusher": ["reward_dist", "reward_ctrl", "reward_near"],
    "Swimmer": ["reward_forward", "reward_ctrl"],
    "Hopper": ["reward_forward", "reward_ctrl", "reward_survive"],
    "Walker2d": ["reward_forward", "reward_ctrl", "reward_survive"],
    "HalfCheetah": ["reward_forward", "reward_ctrl"],
    "Ant": ["reward_forward", "reward_ctrl", "reward_contact", "reward_survive"],
    "Humanoid": ["reward_survive", "reward_forward", "reward_ctrl", "reward_contact"],
    "HumanoidStandup": ["reward_linup", "reward_quadctrl", "reward_impact"],
}
# rendering is not the plugin's
NOT_OURS = {"self", "kwargs", "default_camera_config"}


def position(name, env):
    """What the reward compares before and after a step, where mj_step() leaves it from before."""
    data = env.unwrapped.data
    if name == "Ant":
        return list(data.body(env.unwrapped._main_body).xpos[:2])
    if name == "Humanoid":
        from gymnasium.envs.mujoco.humanoid_v5 import mass_center
        return list(mass_center(env.unwrapped.model, data))
    return []


def state(name, env):
    data = env.unwrapped.data
    return [data.time, *data.qpos, *data.qvel, *data.act, *data.qacc_warmstart, *position(name, env)]


def numbers(values):
    # repr() of a float is the shortest text that gives the same bits back
    return [repr(float(value)) for value in values]


def action_of(rng, space, t):
    """float32: small, large and held ones, and some beyond the bounds."""
    low, high = space.low, space.high
    kind = t // 10 % 4
    if kind == 0:
        action = rng.uniform(low, high)
    elif kind == 1:
        action = 0.2 * rng.uniform(low, high)
    elif kind == 2:
        action = numpy.where(rng.uniform(size=low.shape) < 0.5, low, high)
    else:
        action = 2.5 * rng.uniform(low, high)
    return action.astype(numpy.float32)


def record(path, name, params, steps, seed):
    params = {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
    env = gymnasium.make(name + "-v5", disable_env_checker=True, **params)
    rng = numpy.random.default_rng([seed, len(path)])
    env.action_space.seed(seed)
    n_actions = env.action_space.shape[0]
    with open(path, "w", encoding="ascii") as file:
        episode = done = 0
        while done < steps:
            observation, _ = env.reset(seed=seed * 1000 + episode)
            start = state(name, env)
            if episode == 0:
                columns = ["kind", "episode", "t"]
                columns += ["action"] if n_actions == 1 else [f"action{i}" for i in range(n_actions)]
                columns += [f"s{i}" for i in range(len(start))] + [f"obs{i}" for i in range(len(observation))]
                columns += ["reward", "terminated", "truncated"] + [f"term_{term}" for term in TERMS[name]]
                print(*columns, sep=",", file=file)
            empty = [""] * (3 + len(TERMS[name]))
            print("R", episode, 0, *[""] * n_actions, *numbers(start), *numbers(observation), *empty, sep=",", file=file)
            t, over = 0, False
            # episodes that end late are cut: their beginnings say most
            while not over and done < steps and t < 120:
                action = action_of(rng, env.action_space, t)
                observation, reward, terminated, truncated, info = env.step(action)
                t, done, over = t + 1, done + 1, terminated or truncated
                print("S", episode, t, *[repr(float(a)) for a in action], *numbers(state(name, env)), *numbers(observation),
                      repr(float(reward)), int(terminated), int(truncated), *numbers(info[term] for term in TERMS[name]),
                      sep=",", file=file)
            episode += 1
    env.close()


def record_all(folder, seed, only):
    os.makedirs(folder, exist_ok=True)
    index = {"mujoco": mujoco.__version__, "gymnasium": gymnasium.__version__, "numpy": numpy.__version__, "seed": seed, "traces": []}
    for file, name, params, steps in TRACES:
        if only and not file.startswith(only):
            continue
        record(os.path.join(folder, file + ".csv"), name, params, steps, seed)
        index["traces"].append({"file": file + ".csv", "id": f"mujoco/{name}-v5", "params": params})
    with open(os.path.join(folder, "traces.json"), "w", encoding="ascii") as out:
        json.dump(index, out, indent=1)
        out.write("\n")


def defaults_of(name):
    """Gymnasium's keyword parameters of a task and their defaults."""
    env = gymnasium.make(name + "-v5").unwrapped
    signature = inspect.signature(type(env).__init__)
    return {key: value.default for key, value in signature.parameters.items() if key not in NOT_OURS}


def same_value(theirs, text):
    if isinstance(theirs, tuple):
        ours = [float(part) for part in text.strip("[]").split(",")]
        return [float(value) for value in theirs] == ours
    if isinstance(theirs, bool):
        return text == str(theirs).lower()
    if isinstance(theirs, str):
        return text == f'"{theirs}"'
    return float(theirs) == float(text)


def compare_schema(path):
    """path: what `trpo-bench list envs --json` printed. Names what differs; the exit code."""
    with open(path, encoding="utf-8") as file:
        listed = {env["id"]: {param["key"]: param["default"] for param in env["params"]} for env in json.load(file)}
    differences = 0
    for name in TERMS:
        theirs, ours = defaults_of(name), listed[f"mujoco/{name}-v5"]
        for key in sorted(set(theirs) | set(ours) - {"model", "model_sha256"}):
            if key not in ours or key not in theirs or not same_value(theirs[key], ours[key]):
                print(f"{name}: {key} is {theirs.get(key, 'unknown')!r} in Gymnasium, {ours.get(key, 'unknown')} here")
                differences += 1
    print(f"{len(TERMS)} tasks, {differences} differences")
    return 1 if differences else 0


def print_resets(name, n):
    """Mean and standard deviation of each of qpos and qvel over n starts, one line each."""
    env = gymnasium.make(name + "-v5")
    states = []
    for k in range(n):
        env.reset(seed=k)
        states.append(env.unwrapped.state_vector())
    states = numpy.array(states)
    for mean, deviation, low, high in zip(states.mean(0), states.std(0), states.min(0), states.max(0)):
        print(f"{mean:.9g} {deviation:.9g} {low:.9g} {high:.9g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="only the files that begin like this")
    parser.add_argument("--schema", metavar="LIST.JSON")
    parser.add_argument("--resets", nargs=2, metavar=("NAME", "N"))
    arguments = parser.parse_args()
    if arguments.schema:
        sys.exit(compare_schema(arguments.schema))
    if arguments.resets:
        print_resets(arguments.resets[0], int(arguments.resets[1]))
    elif arguments.folder:
        record_all(arguments.folder, arguments.seed, arguments.only)
    else:
        parser.error("a folder is needed")


if __name__ == "__main__":
    main()
