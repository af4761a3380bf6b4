/** Every kind of invalid command line, with uniform messages: what is wrong, a suggestion, what to do. */

import test from 'ava';
import {Command} from 'commander';
import {TestbedError} from '../../../../testbed/errors.js';
import {baselineCommandLine} from '../../../../testbed/cli/definitions/baseline.js';
import {diffCommandLine} from '../../../../testbed/cli/definitions/diff.js';
import {mutateCommandLine} from '../../../../testbed/cli/definitions/mutate.js';
import {probeCommandLine} from '../../../../testbed/cli/definitions/probe.js';
import {rulesCommandLine} from '../../../../testbed/cli/definitions/rules.js';
import {runCommandLine} from '../../../../testbed/cli/definitions/run.js';
import {refuseUnknownCommand, useOwnErrors} from '../../../../testbed/cli/usage-errors.js';

function all(command: Command): readonly Command[] {
	return [command, ...command.commands.flatMap(one => all(one))];
}

function programOf(argv: readonly string[]): Command {
	const program = new Command('testbed');
	for (const define of [runCommandLine, probeCommandLine, diffCommandLine, mutateCommandLine, baselineCommandLine, rulesCommandLine]) {
		program.addCommand(define(() => undefined));
	}

	for (const command of all(program)) {
		command.exitOverride();
		useOwnErrors(command, argv);
		command.action(() => undefined);
	}

	return program;
}

type Row = readonly [argv: readonly string[], message: string | RegExp, hint?: string | RegExp];

const rows: readonly Row[] = [
	[['run', '--backend', 'legacy'], '--backend legacy: it must be iptables-nft, iptables-legacy, nftables or all. Did you mean iptables-legacy?'],
	[['run', '--family', ''], '--family is empty (an unset variable?): it must be ipv4, ipv6 or both.'],
	[['probe', '--from', 'ap'], '--from ap: it must be app, proxy, agent, remote, istiod or prometheus. Did you mean app?'],
	[['probe', '--bind-device', 'nosuch0'], '--bind-device nosuch0: it must be lo or eth0.'],
	[['probe', '--uid', 'root'], /^--uid root: it must be a whole number from 0 to /u],
	[['run', '--rules', 'a', '--rules', 'b'], '--rules is given twice (a and b), but it takes one value.', 'Remove one of the two.'],
	[['run', '--types', '1', '--types=2'], '--types is given twice (1 and 2), but it takes one value.', 'Remove one of the two, or write --types 1,2.'],
	[['run', '--rulez', 'x'], 'run has no option --rulez. Did you mean --rules?', 'testbed run --help lists the options.'],
	[['run', '--nope=1'], 'run has no option --nope=1.', 'testbed run --help lists the options.'],
	[['run', '--rules', 'release:1.30', '--redirect-dns'], 'run has no option --redirect-dns.', 'Put arguments of istio-iptables inside the quotes of the input: \'release:1.30 --redirect-dns\''],
	[['mutate', '--rules', 'x'], 'mutate has no option --rules: the rules are its argument.', 'For example: testbed mutate release:1.30'],
	[['diff', '--rules=x'], 'diff has no option --rules: the rules are its argument.', 'For example: testbed diff release:1.30 my.rules'],
	[['baseline', 'check', '--rules', 'x'], 'baseline check has no option --rules: the rules are its argument.', 'For example: testbed baseline check baseline.json release:1.30'],
	[['run', '--rules'], '--rules needs a value: --rules <input>.'],
	[['diff'], /^diff needs an argument: two rule sets: /u, 'testbed diff --help lists the options.'],
	[['probe', 'x', 'y'], 'probe takes no argument; "x", "y" are too many.', 'testbed probe --help lists the options.'],
	[['rules', 'a', 'b'], 'rules takes one argument; "b" is too many.', 'testbed rules --help lists the options.'],
];

for (const [argv, message, hint] of rows) {
	test(argv.join(' '), async t => {
		const error = await t.throwsAsync(async () => programOf(argv).parseAsync([...argv], {from: 'user'}), {instanceOf: TestbedError, code: 'USAGE', message});
		if (typeof hint === 'string') {
			t.is(error.hint, hint);
		}
	});
}

test('an option may be given again where it takes several values', async t => {
	const argv = ['baseline', 'create', '--scenarios', 'a.yaml', '--scenarios', 'b.yaml'];
	await t.notThrowsAsync(async () => programOf(argv).parseAsync(argv, {from: 'user'}));
});

for (const [word, message, hint] of [
	['prob', 'There is no command "prob". Did you mean probe?', /^The commands are run, probe, .*A scenario is a file that ends in \.yaml/u],
	['verify', 'There is no command "verify". Did you mean baseline check?', /^The commands are /u],
	['toString', 'There is no command "toString".', /^The commands are /u],
	['walk', 'There is no command "walk".', /^The commands are /u],
	['release:1.30', 'There is no command "release:1.30".', /^Pass rules with --rules: testbed run --rules release:1\.30$/u],
] as const) {
	test(`no command: ${word}`, t => {
		const error = t.throws(() => {
			refuseUnknownCommand(word, programOf([]));
		}, {instanceOf: TestbedError, code: 'USAGE', message});
		t.regex(error.hint ?? '', hint);
	});
}

test('what may be something else than a command is left alone', t => {
	for (const word of ['--rules', '-x', 'a.yaml', 'none/', 'test']) {
		t.notThrows(() => {
			refuseUnknownCommand(word, programOf([]));
		});
	}
});
