/** The launcher must know before anything is built which commands need root; the definitions say it. */

import test from 'ava';
import {allCommands} from '../../../../testbed/cli/all-commands.js';
import {needOf, type Need} from '../../../../testbed/cli/definitions/needs-root.js';
import {commandsForMachinesRoot, commandsForRoot, programOf} from '../../../../testbed/cli/main.js';
import {load} from '../../scripts/_setup.js';

const {kernelCommands, rootCommands} = load('acts');

test('the launcher asks for root for the commands whose definitions do', t => {
	t.deepEqual([...kernelCommands].toSorted(), [...commandsForRoot()].toSorted());
	t.true(kernelCommands.has('run'));
	t.false(kernelCommands.has('replay'));
});

test('the launcher and the definitions agree on what only root can do', t => {
	t.deepEqual([...rootCommands].toSorted(), [...commandsForMachinesRoot()].toSorted());
	t.deepEqual([...rootCommands].toSorted(), ['clean', 'enter']);
});

/** What a command line needs, as its definition says. */
async function needFor(argv: readonly string[]): Promise<Need | undefined> {
	const program = programOf();
	const found: Array<Need | undefined> = [];
	for (const {command} of allCommands(program)) {
		command.exitOverride().action(() => {
			found.push(needOf(command));
		});
	}

	await program.parseAsync([...argv], {from: 'user'});
	return found[0];
}

for (const [argv, need] of [
	[['run'], 'namespaces'],
	[['run', '--list'], undefined],
	[['run', '--keep'], 'root'],
	[['run', '--keep-for', '10s'], 'root'],
	[['run', '--check'], undefined],
	[['run', '--check', '--keep'], undefined],
	[['report'], 'either'],
	[['probe', '--to', 'pod:80'], 'namespaces'],
	[['mutate', '--print', '3'], undefined],
	[['mutate'], 'namespaces'],
	[['lesson', '--list'], undefined],
	[['lesson', 'hairpin', '--show'], 'namespaces'],
	[['baseline', 'check', 'file'], 'namespaces'],
	[['serve'], 'namespaces'],
	[['doctor'], 'either'],
	[['enter', 'app'], 'root'],
	[['clean'], 'root'],
	[['rules'], undefined],
	[['replay', 'file'], undefined],
] as const) {
	test(`${argv.join(' ')} needs ${need ?? 'nothing'}`, async t => {
		t.is(await needFor(argv), need);
	});
}
