/**
The command that action.yml runs for its inputs. Inputs are words of a command, never text of a shell: whatever stands in them, it is an argument.
*/

/** Names of the inputs that lead to arguments. */
export const inputNames = ['rules', 'rules6', 'pod', 'baseline', 'scenarios', 'backend', 'family', 'reports', 'arguments'];

/** Something is wrong with the inputs. */
export class ActionInputError extends Error {}

/** The lines of an input that hold something. */
function linesOf(text) {
	return text.split('\n').map(line => line.trim()).filter(line => line !== '');
}

/** The inputs by name, from the variables that action.yml sets. */
export function readInputs(env) {
	return Object.fromEntries(inputNames.map(name => [name, (env[`TESTBED_ACTION_${name.toUpperCase()}`] ?? '').trim()]));
}

/**
The arguments of `testbed`.

@param {Readonly<Record<string, string>>} inputs as {@link readInputs} gives them.
@returns {readonly string[]}
@throws {ActionInputError} Inputs contradict each other, or one has no meaning.
*/
export function argumentsFor({rules, rules6, pod, baseline, scenarios, backend, family, reports, arguments: further}) {
	if (rules !== '' && pod !== '') {
		throw new ActionInputError('Both `rules` and `pod` are set. Set one of them: a manifest has rules of its own.');
	}

	if (baseline !== '' && linesOf(scenarios).length > 0) {
		throw new ActionInputError('Both `baseline` and `scenarios` are set. A baseline has cases of its own; use two steps.');
	}

	const source = pod === '' ? rules : `pod:${pod}`;
	const outputs = linesOf(reports);
	const wrong = outputs.find(line => !/^[a-z]+=./u.test(line));
	if (wrong !== undefined) {
		throw new ActionInputError(`\`reports\` has the line ${JSON.stringify(wrong)}. Each line is FORMAT=FILE, for example junit=testbed.xml.`);
	}

	const options = Object.entries({rules6, backend, family})
		.flatMap(([name, value]) => value === '' ? [] : [`--${name}=${value}`]);
	const shared = [...options, '--format=github', ...outputs.map(line => `--output=${line}`), ...linesOf(further)];
	const sources = source === '' ? [] : [source];
	return baseline === ''
		? ['run', ...sources.map(text => `--rules=${text}`), ...shared, ...linesOf(scenarios)]
		: ['baseline', 'check', ...shared, baseline, ...sources];
}

/** An exit status in a word. */
export function outcomeOf(status) {
	return {
		0: 'passed', 1: 'failed', 2: 'usage', 3: 'inconclusive', 4: 'machine',
	}[status] ?? 'ended';
}

/** A program with root's rights: by sudo, where this is not root. What the job's summary goes to is kept, and where programs are. */
export function asRoot(words, {uid, path}) {
	return uid === 0 ? words : ['sudo', '--preserve-env=GITHUB_STEP_SUMMARY,CI', 'env', `PATH=${path}`, ...words];
}
