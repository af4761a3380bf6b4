/** Users that do not exist in a user namespace. */

import test from 'ava';
import {parseSave} from '../../../../src/index.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {sendableOf} from '../../../../testbed/prober/missing-users.js';
import type {ProbeAnswer} from '../../../../testbed/prober/options.js';
import {existingIds, missingUser, refuseMissingOwners, refuseMissingUsers} from '../../../../testbed/rootless/mapped-ids.js';
import {
	isSameOutside, outsideOf, parseIdMap, type IdMaps,
} from '../../../../testbed/syscalls/id-maps.js';

const map = (text: string, gids = text): IdMaps => ({isInitial: false, uids: parseIdMap(text), gids: parseIdMap(gids)});
const one = map('         0       4242          1\n');
const range = map('0 4242 1\n1 300000 65536\n');
const gap = map('1000 300000 10\n0 4242 1\n1010 400000 990\n');
const initial: IdMaps = {isInitial: true, uids: parseIdMap('0 0 4294967295'), gids: []};

test('the rows of a map', t => {
	t.deepEqual(range.uids, [{inside: 0, outside: 4242, count: 1}, {inside: 1, outside: 300_000, count: 65_536}]);
	t.deepEqual(parseIdMap(''), []);
});

for (const [id, outside] of [[0, 4242], [1, undefined], [999, undefined], [1000, 300_000], [1009, 300_009], [1010, 400_000], [1999, 400_989], [2000, undefined]] as const) {
	test(`ID ${id} in ranges with a gap: ${outside ?? 'missing'}`, t => {
		t.is(outsideOf(gap.uids, id), outside);
	});
}

/** A user whose own UID is above its range, and one whose second range is below the first. */
const high = map('0 1000000 1\n1 300000 65536\n');
const crossed = map('0 1000 1\n1 500000 10\n11 300000 10\n');

for (const [title, {uids}, from, to, same] of [
	['one ID', high, 0, 0, true],
	['root and its range, root below', range, 0, 1337, true],
	['root and its range, root above', high, 0, 1337, false],
	['within a range', high, 1, 1337, true],
	['across a gap', gap, 0, 1005, true],
	['across ranges in order', gap, 1005, 1015, true],
	['across ranges in another order', crossed, 5, 15, false],
	['from root across such ranges', crossed, 0, 20, false],
	['from root, with others between', crossed, 0, 5, false],
] as const) {
	test(`an interval is the same by the numbers of the machine: ${title}, ${from} to ${to}: ${same}`, t => {
		t.is(isSameOutside(uids, {from, to}), same);
	});
}

test('a user that does not exist is named, with what there is', t => {
	t.is(missingUser({name: 'app', uid: 0, gid: 0}, one), undefined);
	t.is(missingUser({name: 'app', uid: 1000, gid: 1000}, range), undefined);
	t.regex(missingUser({name: 'app', uid: 1000, gid: 1000}, one) ?? '', /^UID 1000 \(app\) does not exist in this user namespace, which has only UID 0\. → Give UID 4242 of the machine a range of IDs/u);
	t.regex(missingUser({name: 'app', uid: 1500, gid: 2000}, gap) ?? '', /^GID 2000 \(app\) .* only GIDs 0, 1000–1999\./u);
	t.regex(missingUser({name: 'app', uid: 100_000, gid: 0}, range) ?? '', /only UIDs 0–65536\./u);
	t.regex(missingUser({name: 'app', uid: 1, gid: 0}, map('', '')) ?? '', /which has no UID\./u);
});

test('in the machine\'s own namespace every user exists', t => {
	t.is(missingUser({name: 'app', uid: 4_294_967_294, gid: 4_294_967_294}, initial), undefined);
	t.deepEqual(existingIds(initial), {});
	t.notThrows(() => {
		refuseMissingUsers([{name: 'app', uid: 99_999, gid: 99_999}], initial);
	});
});

test('actors are refused as inconclusive', t => {
	t.notThrows(() => {
		refuseMissingUsers([{name: 'app', uid: 1000, gid: 1000}, {name: 'proxy', uid: 1337, gid: 1337}], range);
	});
	const error = t.throws(() => {
		refuseMissingUsers([{name: 'root', uid: 0, gid: 0}, {name: 'proxy', uid: 0, gid: 1337}], one);
	}, {instanceOf: TestbedError, message: /^GID 1337 \(proxy\)/u});
	t.is(error.code, 'UNMAPPED');
});

const rules = (owner: string) => parseSave(`*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j RETURN\n-A OUTPUT -m owner ${owner} -j RETURN\nCOMMIT\n`, 'ipv4');

for (const [owner, says] of [
	['--uid-owner 0', undefined],
	['--uid-owner 1337', /^UID 1337 \(OUTPUT#2\)/u],
	['! --gid-owner 1337', /^GID 1337 \(OUTPUT#2\)/u],
	['--uid-owner 0-5', /^UID 5 \(OUTPUT#2\)/u],
	['--socket-exists', undefined],
] as const) {
	test(`rules with ${owner} where only ID 0 exists: ${says === undefined ? 'taken' : 'refused'}`, t => {
		const act = (): void => {
			refuseMissingOwners(rules(owner), one);
		};

		if (says === undefined) {
			t.notThrows(act);
		} else {
			t.throws(act, {instanceOf: TestbedError, message: says});
		}

		t.notThrows(() => {
			refuseMissingOwners(rules(owner), range);
			refuseMissingOwners(rules(owner), initial);
		});
	});
}

test('an interval that iptables would mistake is refused, with what to use instead', t => {
	const error = t.throws(() => {
		refuseMissingOwners(rules('--uid-owner 0-1337'), high);
	}, {instanceOf: TestbedError, message: /^The UIDs 0 to 1337 \(OUTPUT#2\) are not an interval on this machine/u});
	t.deepEqual([error.code, error.hint], ['UNMAPPED', 'Use --backend nftables, which compares the numbers as written, or run it as root.']);
	t.notThrows(() => {
		refuseMissingOwners(rules('--uid-owner 1-1337'), high);
	});
});

test('the IDs that exist, joined where they touch', t => {
	t.deepEqual(existingIds(gap).uid, [{first: 0n, last: 0n}, {first: 1000n, last: 1999n}]);
	t.deepEqual(existingIds(range).gid, [{first: 0n, last: 65_536n}]);
});

test('probes of users that do not exist get a gap, and the others are sent', t => {
	const request = {protocol: 'tcp', to: {address: '10.0.0.1', port: 80}, from: 'pod'} as const;
	const answers: ProbeAnswer[] = [];
	const batch = [{...request, id: 'a', uid: 0, gid: 0}, {...request, id: 'b', uid: 1337, gid: 1337, actor: 'proxy'}, {...request, id: 'c', uid: 0, gid: 5}];
	t.deepEqual(sendableOf(batch, answers, one), [0]);
	t.is(answers[0], undefined);
	t.like(answers[1], {id: 'b', leg: undefined});
	t.regex(answers[1]!.gaps[0]!.message, /^Probe b was not sent: UID 1337 \(proxy\) does not exist/u);
	t.regex(answers[2]!.gaps[0]!.message, /^Probe c was not sent: GID 5 \(pod\)/u);
	t.deepEqual(sendableOf(batch, answers, initial), [0, 1, 2]);
});
