/** The trace table: kept from round to round while it traces the same, and never with the owners of earlier packets. */

import test from 'ava';
import {Netns} from '../../testbed/sandbox/netns.js';
import {flushSets} from '../../testbed/sandbox/flush-set.js';
import {beginTable, traceTable} from '../../testbed/sandbox/own-table.js';
import {openNetfilterSocket} from '../../testbed/syscalls/netlink-socket.js';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {parseOwners} from '../../testbed/tracer/trace-table.js';
import {ownerSets} from '../../src/trace/owner-sets.js';
import {TraceSwitch} from '../../testbed/tracer/trace-switch.js';

type Listed = {readonly nftables: ReadonlyArray<{readonly table?: {readonly name: string; readonly handle: number}}>};

async function listing(netns: Netns): Promise<string> {
	return netns.runConfined('nft', ['-n', '-j', 'list', 'ruleset']);
}

function handleIn(text: string): number | undefined {
	return (JSON.parse(text) as Listed).nftables.find(({table}) => table?.name === traceTable)?.table!.handle;
}

/** Notes the owner of a packet of each family and protocol, as rules of the table do. */
async function addOwners(netns: Netns): Promise<void> {
	const addresses = {ipv4: ['10.0.0.1', '10.0.0.2'], ipv6: ['2001:db8::1', '2001:db8::2']} as const;
	const input = ownerSets.map(({name, family}) => `add element inet ${traceTable} ${name} { ${addresses[family][0]} . 40000 . ${addresses[family][1]} . 80 . 1000 }\n`).join('');
	await netns.runConfined('nft', ['-f', '-'], {input});
}

test('a table that traces the same is kept, its owners are not', async t => {
	await using netns = Netns.create('switch', ['lo']);
	using traceSwitch = new TraceSwitch(netns);
	await traceSwitch.turnOn({hasInvalid: false});
	const first = handleIn(await listing(netns));
	t.not(first, undefined);
	for (let round = 0; round < 3; round++) {
		await addOwners(netns); // eslint-disable-line no-await-in-loop -- Round after round.
		t.is(parseOwners(await listing(netns)).length, 4); // eslint-disable-line no-await-in-loop
		await traceSwitch.turnOn({hasInvalid: false, hasAnswers: false}); // eslint-disable-line no-await-in-loop
		const now = await listing(netns); // eslint-disable-line no-await-in-loop
		t.is(handleIn(now), first);
		t.deepEqual(parseOwners(now), []);
	}
});

test('a table that traces something else replaces it', async t => {
	await using netns = Netns.create('switch', ['lo']);
	using traceSwitch = new TraceSwitch(netns);
	const texts: string[] = [];
	for (const choice of [{hasInvalid: false}, {hasInvalid: false, hasAnswers: true}, {hasInvalid: true}, {hasInvalid: false}]) {
		await traceSwitch.turnOn(choice); // eslint-disable-line no-await-in-loop -- One after the other.
		texts.push(await netns.runConfined('nft', ['list', 'ruleset'])); // eslint-disable-line no-await-in-loop
		await addOwners(netns); // eslint-disable-line no-await-in-loop
	}

	t.is(texts[3], texts[0]);
	t.is(new Set(texts).size, 3);
	t.regex(texts[2]!, /ct state invalid/u);
});

test('a first table does not add to another, and a set that is not there is no success', async t => {
	await using netns = Netns.create('switch', ['lo']);
	using first = new TraceSwitch(netns);
	await first.turnOn({hasInvalid: false});
	using second = new TraceSwitch(netns);
	await t.throwsAsync(second.turnOn({hasInvalid: false}), {message: /File exists/u});
	// It is no longer the first, so it replaces what is there.
	await t.notThrowsAsync(second.turnOn({hasInvalid: false}));
	await netns.runConfined('nft', ['-f', '-'], {input: `${beginTable(false)}`});
	const fd = netns.enter(() => openNetfilterSocket(65_536));
	try {
		t.throws(() => {
			flushSets(fd, ['one-set']);
		}, {code: 'COMMAND_FAILED', message: 'The kernel did not empty the set one-set of the table testbed-trace: ENOENT.'});
	} finally {
		closeDescriptor(fd);
	}
});
