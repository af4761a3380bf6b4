import path from 'node:path';
import process from 'node:process';
import test from 'ava';

type Helps = ReadonlyArray<{readonly words: readonly string[]; readonly help: string}>;
type Reference = {
	commandsIn: (help: string) => string[];
	helpOfEveryCommand: (root: string) => Promise<Helps>;
	printReference: (helps: Helps) => string;
	complaintsAboutReference: (root: string, expected: string) => string[];
};

const root = process.cwd();
const {commandsIn, helpOfEveryCommand, printReference, complaintsAboutReference} = await import(path.join(root, 'scripts/checks/reference.mjs')) as Reference;
const helps = await helpOfEveryCommand(root);

test('docs/reference.md is what the help of every command says', t => {
	t.deepEqual(complaintsAboutReference(root, printReference(helps)), []);
});

test('commands below another are in it as well, right after it', t => {
	const names = helps.map(({words}) => words.join(' '));
	t.is(names[0], '');
	for (const name of ['run', 'probe', 'diff', 'rules', 'doctor', 'clean']) {
		t.true(names.includes(name));
	}

	t.is(names[names.indexOf('baseline') + 1], 'baseline create');
});

test('goes red: an option that the reference does not have', t => {
	const [complaint] = complaintsAboutReference(root, printReference(helps).replace('--rules <input>', '--rulez <input>'));
	t.regex(complaint ?? '', /^docs\/reference\.md:\d+ is not what the help says/u);
});

test('commands are read off a help: not those of examples, not help', t => {
	t.deepEqual(commandsIn('Usage: x\n\nCommands:\n  one [options]  does\n                 more\n  two-b          does\n  help [command]  x\n\nExamples:\n  testbed x\n'), ['one', 'two-b']);
	t.deepEqual(commandsIn('Usage: x\n'), []);
});
