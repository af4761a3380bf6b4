/**
Options that npm took for itself because `--` was missing before them: `npm run testbed --rules=release:1.20`. npm 9 to 11 take every option that they do not know, start the script without it and leave it in the environment; npm 12 refuses it. Without this check the run would silently answer a different question.
*/

import {quoted} from '../../src/report/terminal/shell-quote.js';
import {TestbedError} from '../errors.js';

/** How npm started the program, as the launcher found it in the environment (scripts/setup/npm.cjs). */
export type NpmStart = {
	/** The script's name: `testbed`, `doctor`. */
	readonly script: string;
	/** The arguments that the script itself passes: `doctor`. */
	readonly own: readonly string[];
	/** The folder in which npm was called. */
	readonly folder?: string | undefined;
	/** What npm exports as `npm_config_KEY`, minus settings from the user's environment and .npmrc files. */
	readonly config: Readonly<Record<string, string>>;
	/** Whether the user's environment was known. If not, `config` may include settings from it. */
	readonly isExact: boolean;
};

/** An option of the command line, reduced to what is needed here. */
export type KnownOption = {
	/** With its dashes: `--proxy-uid`. */
	readonly long: string;
	readonly takesValue: boolean;
};

/** What npm 9.2 to 12.2 always export. An option of ours with one of these names would be indistinguishable from it. */
export const exportedAnyway: ReadonlySet<string> = new Set([
	'allow_scripts', 'cache', 'global_ignore_file', 'global_prefix', 'globalconfig', 'init_module', 'local_prefix', 'metrics_registry', 'node_gyp', 'noproxy', 'npm_version', 'prefix', 'user_agent', 'userconfig',
]);

/** An option that npm took, with the values it recorded, if any. */
type Taken = KnownOption & {readonly values: readonly string[]};

function keyOf(long: string): string {
	return long.replace(/^--/u, '').replaceAll('-', '_');
}

/**
The options that npm took. Each is found under its own name, or under the npm option that npm expanded it to as a prefix (npm 11.19 turns `--to` into `--token-description`); and npm itself reads `--verbose` as `--loglevel verbose`.
*/
function optionsTaken(options: readonly KnownOption[], {config, isExact}: NpmStart): Taken[] {
	const names = new Set(options.map(({long}) => keyOf(long)));
	return options.flatMap(option => {
		const name = keyOf(option.long);
		const key = Object.keys(config).find(key => key === name && !exportedAnyway.has(key))
			?? Object.keys(config).find(key => isExact && key.startsWith(name) && !names.has(key) && !exportedAnyway.has(key));
		if (key !== undefined) {
			return [{...option, values: config[key]!.split('\n\n').filter(value => value !== 'true' && value !== '')}];
		}

		// Without the user's environment, that level might be their own setting.
		return name === 'verbose' && isExact && config['loglevel'] === 'verbose' ? [{...option, values: []}] : [];
	});
}

function quote(word: string): string {
	return /^[\w./:=@,+-]+$/u.test(word) ? word : quoted(word);
}

/** The intended command line, as far as it can be reconstructed: given two options without values and two words, it is unknown which belong together. */
function meant(taken: readonly Taken[], argv: readonly string[], commands: ReadonlySet<string>): string[] {
	// A command, possibly with a subcommand: `baseline check`.
	const depth = [2, 1].find(count => argv.length >= count && commands.has(argv.slice(0, count).join(' '))) ?? 0;
	const command = argv.slice(0, depth);
	const words = argv.slice(command.length);
	const whole = taken.filter(({takesValue, values}) => !takesValue || values.length > 0)
		.flatMap(({long, takesValue, values}) => takesValue ? values.map(value => `${long}=${value}`) : [long]);
	const open = taken.filter(({takesValue, values}) => takesValue && values.length === 0).map(({long}) => long);
	if (open.length > 0 && (open.length > 1 || words.length !== 1)) {
		return [...command, ...whole, ...open.map(long => `${long} …`)];
	}

	return [...command, ...whole, ...open, ...words].map(word => quote(word));
}

/**
The error message if npm took options, or undefined if it took none.

@param argv The arguments that arrived.
@param known The long options of all commands, and the commands' names: `run`, `baseline check`.
*/
export function complaintAboutNpm(argv: readonly string[], known: {readonly options: readonly KnownOption[]; readonly commands: ReadonlySet<string>}, npm: NpmStart): string | undefined {
	const taken = optionsTaken(known.options, npm);
	if (taken.length === 0) {
		return undefined;
	}

	const arrived = npm.own.every((word, index) => argv[index] === word) ? argv.slice(npm.own.length) : argv;
	const names = taken.map(({long}) => long);
	return [
		`testbed: npm took ${names.join(', ')} for itself, so nothing was run. Put -- before the options:`,
		`→ npm run ${npm.script} -- ${meant(taken, arrived, known.commands).join(' ')}`,
		...(names.length === 1 && names[0] === '--verbose' ? [`For npm's own verbose messages: npm_config_loglevel=verbose npm run ${npm.script}`] : []),
	].join('\n');
}

/** The relative file name that an ENOENT error is about, if it is one. */
function relativeFileOf(error: unknown): string | undefined {
	for (let cause = error; cause instanceof Error; cause = cause.cause) {
		const {code, path} = cause as Error & {code?: unknown; path?: unknown};
		if (code === 'ENOENT' && typeof path === 'string' && !path.startsWith('/')) {
			return path;
		}
	}

	return undefined;
}

/**
Hints for an error of a program that npm started: the folder that a relative file name was resolved against; and, if only words arrived and one was not understood, what may have happened to the option before it. (npm 9 to 11 read `--format json` as their own `--format-package-lock` and leave no trace of it.)
*/
export function hintsOfNpm(error: unknown, argv: readonly string[], npm: NpmStart): string[] {
	const file = relativeFileOf(error);
	const isWordAlone = file === undefined ? error instanceof TestbedError && error.code === 'USAGE' : !/[./]/u.test(file);
	const isWithoutOptions = argv.length > npm.own.length && !argv.some(word => word.startsWith('-'));
	return [
		...(file === undefined ? [] : [`File names are relative to the folder where npm was started: ${npm.folder ?? 'unknown'}`]),
		...(isWordAlone && isWithoutOptions ? [`If it belongs to an option, npm took that option for itself. Put -- before the options: npm run ${npm.script} -- …`] : []),
	];
}
