'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');

/** Between npm and this process there is at most one shell, plus one or two that a user's `script-shell` starts. */
const climbMax = 4;

/** The environment that a process was started with. Undefined if it cannot be read: on systems other than Linux, or for another user's process. */
function readEnviron(pid) {
	try {
		return Object.fromEntries(fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean).map(pair => {
			const end = pair.indexOf('=');
			return [pair.slice(0, end), pair.slice(end + 1)];
		}));
	} catch {
		return undefined;
	}
}

function readParent(pid) {
	try {
		return Number(/^PPid:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
	} catch {
		return 0;
	}
}

/** The environment in which the user started npm: that of the closest ancestor process that does not belong to this script. */
function environOfNpm({env, parentPid, processes = {readEnviron, readParent}}) {
	let pid = parentPid;
	for (let climbed = 0; climbed < climbMax && pid > 0; climbed++) {
		const found = processes.readEnviron(pid);
		if (found === undefined || found.npm_lifecycle_script !== env.npm_lifecycle_script) {
			return found;
		}

		pid = processes.readParent(pid);
	}

	return undefined;
}

/** The settings in the .npmrc files that npm reads for this checkout, as `key` and text. npm exports these like command-line options. */
function settingsOfFiles({env, root}) {
	const builtin = env.npm_execpath === undefined ? undefined : path.join(path.dirname(env.npm_execpath), '../npmrc');
	return [env.npm_config_userconfig, env.npm_config_globalconfig, builtin, path.join(root, '.npmrc')].filter(Boolean).flatMap(file => {
		let text;
		try {
			text = fs.readFileSync(file, 'utf8');
		} catch {
			return []; // Most of them do not exist.
		}

		return [...text.matchAll(/^\s*([^\s=;#]+)\s*(?:=[ \t]*(.*?))?[ \t]*$/gm)].map(([, key, value = 'true']) => [spell(key), value.replace(/^(["'])(.*)\1$/, '$2')]);
	});
}

/** A name as npm writes it in the environment, after `npm_config_`. */
function spell(name) {
	return name.toLowerCase().replaceAll('-', '_');
}

/** Whether a setting matches a file. npm exports false as an empty string; values that a file takes from the environment cannot be compared and count as matching. */
function isFromFile(key, value, settings) {
	return settings.some(([name, text]) => name === key && (text.includes('${') || text === value || (value === '' && ['false', 'null'].includes(text))));
}

function isSameFile(one, other) {
	try {
		return fs.realpathSync(one) === fs.realpathSync(other);
	} catch {
		return false;
	}
}

/**
How npm started an act: `npm run testbed`, from any folder. Undefined in all other cases, including within a test or bench that npm started, because those call us directly.

- `script`: the script's name, and `own` the arguments that it passes itself.
- `folder`: the user's working folder. npm changes to the checkout before it starts a script.
- `config`: what npm exports beyond the user's environment and the .npmrc files: its own settings, and its command-line options, including ours if `--` was forgotten. Keys are without `npm_config_`, in npm's spelling: `proxy_uid`.
- `isExact`: whether the user's environment could be read, so that `config` certainly comes from the command line.
*/
function startedByNpm(name, context) {
	const {env, root, cwd} = context;
	const [node, file, act, ...own] = (env.npm_lifecycle_script ?? '').split(' ');
	if (node !== 'node' || file !== 'scripts/run.cjs' || act !== name || !isSameFile(env.npm_package_json ?? '', path.join(root, 'package.json')) || !isSameFile(cwd, root)) {
		return undefined;
	}

	const given = environOfNpm(context);
	const before = new Map(Object.entries(given ?? {}).map(([key, value]) => [spell(key), value]));
	const settings = settingsOfFiles(context);
	const prefix = 'npm_config_';
	const config = Object.entries(env).filter(([key]) => key.startsWith(prefix))
		.map(([key, value]) => [key.slice(prefix.length), value])
		.filter(([key, value]) => before.get(prefix + key) !== value && !isFromFile(key, value, settings));
	return {script: env.npm_lifecycle_event, own, folder: env.INIT_CWD, config: Object.fromEntries(config), isExact: given !== undefined};
}

/** Changes to the user's working folder, so that relative file names work. */
function goWhereTheUserStands({folder}, context) {
	if (folder === undefined) {
		return;
	}

	try {
		process.chdir(folder);
	} catch (error) {
		context.say(`Cannot enter ${folder}, where npm was started (${error.code}); relative file names start from ${context.cwd} instead.`);
	}
}

module.exports = {goWhereTheUserStands, startedByNpm};
