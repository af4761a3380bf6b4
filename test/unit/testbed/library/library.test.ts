/** The library checks every argument before it does anything, and errors name the argument. Nothing here needs the kernel, because no call gets that far. */

import {Buffer} from 'node:buffer';
import {writeFileSync} from 'node:fs';
import test from 'ava';
import {file as temporaryFile} from 'tmp-promise';
import {
	classesOf, compare, loadRules, openSandbox, parseRules, createBaseline, runTypes, TestbedError, checkBaseline, type ErrorCode,
} from '../../../../testbed/index.js';
import {RulesSandbox} from '../../../../testbed/library/sandbox.js';

/** As JavaScript calls: with whatever it has. */
type Loose = (...given: readonly unknown[]) => unknown;
const call = {
	classesOf, compare, loadRules, openSandbox, parseRules, createBaseline, runTypes, checkBaseline,
} as unknown as Readonly<Record<string, Loose>>;

const rules = 'release:1.30';
const nothing = undefined;
const table: ReadonlyArray<readonly [name: string, given: readonly unknown[], message: RegExp, code?: ErrorCode]> = [
	['compare', [rules, nothing], /^compare: to is undefined; expected rules: a string such as "release:/u],
	['compare', [nothing, rules], /^compare: from is undefined; expected rules/u],
	['compare', [rules, null], /^compare: to is null; /u],
	['compare', [rules, ''], /^--rules is empty/u],
	['compare', [rules, 5], /^compare: to is 5; /u],
	['compare', [rules, {}], /^compare: to is an object; /u],
	['compare', [rules, Promise.resolve(rules)], /^compare: to is a promise \(an await is missing\?\); /u],
	['compare', [rules, Buffer.from('*nat')], /^compare: to is a Buffer; /u],
	['compare', [rules, rules, {path: true}], /^compare: choices\.path is not known; did you mean "paths"\?\.$/u],
	['compare', [rules, rules, {paths: 'yes'}], /^compare: choices\.paths is "yes"; expected true or false\.$/u],
	['compare', [rules, rules, null], /^compare: choices is null; expected an object\.$/u],
	['compare', [rules, rules, {signal: {}}], /^compare: choices\.signal is an object; expected an AbortSignal\.$/u],
	['loadRules', [nothing], /^loadRules: source is undefined; expected a string/u],
	['loadRules', [nothing, {}], /^loadRules: source is undefined; /u],
	['loadRules', [null], /^loadRules: source is null; /u],
	['loadRules', [rules, {families: 'ipv4'}], /^loadRules: choices\.families is "ipv4"; expected a list of families \(ipv4, ipv6\)\.$/u],
	['loadRules', [rules, {families: ['ipv5']}], /^loadRules: choices\.families\[0\] is "ipv5"; expected one of ipv4, ipv6; did you mean "ipv4" or "ipv6"\?\.$/u],
	['loadRules', [rules, {families: []}], /^loadRules: choices\.families is an empty list; /u],
	['loadRules', [rules, {families: ['ipv4', 'ipv4']}], /^loadRules: choices\.families\[1\] is "ipv4"; it is already in the list\.$/u],
	['loadRules', [rules, {backend: 'nft'}], /^loadRules: choices\.backend is "nft"; expected one of iptables-nft, iptables-legacy, nftables; did you mean "iptables-nft" or "nftables"\?\.$/u],
	['loadRules', [rules, {backends: ['nftables']}], /^loadRules: choices\.backends is not known; did you mean "backend"\?\.$/u],
	['loadRules', [rules, {dnsServers: '10.96.0.10'}], /^loadRules: choices\.dnsServers is "10\.96\.0\.10"; expected a list of addresses\.$/u],
	['loadRules', [rules, {dnsServers: ['dns']}], /^loadRules: choices\.dnsServers\[0\] is "dns"; expected an IP address\.$/u],
	['loadRules', [rules, {source6: ''}], /^loadRules: choices\.source6 is empty; /u],
	['loadRules', [rules, {allowModules: 1}], /^loadRules: choices\.allowModules is 1; /u],
	['loadRules', [rules, []], /^loadRules: choices is an empty list; expected an object\.$/u],
	['loadRules', [rules, {toString: 1}], /^loadRules: choices\.toString is not known; /u],
	['loadRules', ['/nowhere/x'], /no such file/u, 'INPUT'],
	['parseRules', [], /^parseRules: text is undefined; expected the text of a dump\.$/u],
	['parseRules', [Buffer.from('*nat\nCOMMIT\n')], /^parseRules: text is a Buffer; /u],
	['parseRules', [''], /the text is empty/u, 'INPUT'],
	['parseRules', ['*nat\nCOMMIT\n', {name: 5}], /^parseRules: choices\.name is 5; expected a non-empty string\.$/u],
	['parseRules', ['*nat\nCOMMIT\n', 'ours'], /^parseRules: choices is "ours"; expected an object\.$/u],
	['parseRules', ['*nat\n-A OUTPUT -m odd -j RETURN\nCOMMIT\n'], /^the rules: line 2: -m odd is not a known match/u, 'INPUT'],
	['openSandbox', [nothing], /^openSandbox: rules is undefined; /u],
	['openSandbox', [null], /^openSandbox: rules is null; /u],
	['openSandbox', [5], /^openSandbox: rules is 5; /u],
	['openSandbox', [{}], /^openSandbox: rules is an object; /u],
	['openSandbox', [[rules]], /^openSandbox: rules is a list; /u],
	['openSandbox', [rules, {folow: true}], /^openSandbox: choices\.folow is not known; did you mean "follow"\?\.$/u],
	['openSandbox', [rules, {follow: 'no'}], /^openSandbox: choices\.follow is "no"; /u],
	['openSandbox', [rules, {timeoutMs: -1}], /^openSandbox: choices\.timeoutMs is -1; expected a whole number from 1 to 600000\.$/u],
	['openSandbox', [rules, {timeoutMs: 'a'}], /^openSandbox: choices\.timeoutMs is "a"; /u],
	['openSandbox', [rules, {timeoutMs: Number.NaN}], /^openSandbox: choices\.timeoutMs is NaN; /u],
	['openSandbox', [rules, {traceBufferBytes: 0}], /^openSandbox: choices\.traceBufferBytes is 0; /u],
	['openSandbox', [rules, {proxy: {uid: -1, gid: 0}}], /^openSandbox: choices\.proxy\.uid is -1; expected a whole number from 0 to 4294967294\.$/u],
	['openSandbox', [rules, {proxy: {uid: 1}}], /^openSandbox: choices\.proxy\.gid is missing; /u],
	['openSandbox', [rules, {proxy: {uid: 1, gid: 1, name: 'x'}}], /^openSandbox: choices\.proxy\.name is not known; /u],
	['openSandbox', [rules, {signal: new AbortController().signal}], /^openSandbox: choices\.signal is not known; /u],
	['runTypes', [nothing, {types: ['1']}], /^runTypes: rules is undefined; /u],
	['runTypes', [rules, {types: ['9']}], /^runTypes: choices\.types\[0\] is "9"; expected one of 1, /u],
	['runTypes', [rules, {types: '1'}], /^runTypes: choices\.types is "1"; expected a list of types\.$/u],
	['runTypes', [rules, {types: []}], /^runTypes: choices\.types is an empty list; /u],
	['runTypes', [rules, {typ: ['1']}], /^runTypes: choices\.typ is not known; did you mean "types"\?\.$/u],
	['createBaseline', [nothing], /^createBaseline: rules is undefined; /u],
	['createBaseline', [rules, {scenarios: 'x.yaml'}], /^createBaseline: choices\.scenarios is "x\.yaml"; expected a list of files\.$/u],
	['createBaseline', [rules, {timeoutMs: 1.5}], /^createBaseline: choices\.timeoutMs is 1\.5; /u],
	['checkBaseline', [{}, rules], /^checkBaseline: baseline is not a result of createBaseline\.$/u],
	['checkBaseline', [nothing, rules], /^checkBaseline: baseline is undefined; expected a file name, or the result of createBaseline\.$/u],
	['checkBaseline', ['/nowhere/x', rules], /no such file/u, 'INPUT'],
	['checkBaseline', [{}, rules, {stopOnly: true}], /^checkBaseline: choices\.stopOnly is not known; did you mean "stopsOnly"\?\.$/u],
	['classesOf', [[]], /^classesOf: rules is an empty list; expected a list of at least one rule set\.$/u],
	['classesOf', [rules], /^classesOf: rules is "release:1\.30"; /u],
	['classesOf', [], /^classesOf: rules is undefined; /u],
	['classesOf', [[rules, nothing]], /^classesOf: rules\[1\] is undefined; /u],
	['classesOf', [[rules], {family: 'both'}], /^classesOf: choices\.family is "both"; expected one of ipv4, ipv6\.$/u],
];

for (const [index, [name, given, message, code = 'USAGE']] of table.entries()) {
	test(`${name}, wrong ${index}: ${String(message)}`, async t => {
		const error = await t.throwsAsync(async () => call[name]!(...given), {instanceOf: TestbedError});
		t.regex(error.message, message);
		t.is(error.code, code);
	});
}

test('probes are checked before any is sent', async t => {
	const sandbox = new RulesSandbox({} as never, {families: ['ipv4'], follow: true});
	for (const [asked, message] of [
		[{}, /^probeAll: asked is an object; expected a list of probes/u],
		[undefined, /^probeAll: asked is undefined; /u],
		[['remote:8080'], /^probe 1 is "remote:8080"; expected an object/u],
		[[{to: 'remote:8080'}, null], /^probe 2 is null; /u],
		[[{to: 'remote:8080', uid: 5n}], /^probe 1: "uid" is 5n: it must be a whole number/u],
		[[{to: 'remote:8080', uid: Number.NaN}], /^probe 1: "uid" is NaN: it must be /u],
		[[{to: 'remote:8080', form: 'app'}], /^probe 1: "form" is not a key of a probe\. Did you mean from\?$/u],
		[[{to: 'remote:8080', family: 'ipv5'}], /^probe 1: "family" is "ipv5": it must be one of ipv4, ipv6\. Did you mean ipv4 or ipv6\?$/u],
	] as const) {
		const error = await t.throwsAsync(async () => sandbox.probeAll(asked as never), {instanceOf: TestbedError}); // eslint-disable-line no-await-in-loop -- A table.
		t.regex(error.message, message);
	}
});

test('what was left out, or is undefined among the choices, has its default', t => {
	t.deepEqual(loadRules().families, ['ipv4', 'ipv6']);
	t.deepEqual((call['loadRules']!(rules, {families: undefined, backend: undefined}) as ReturnType<typeof loadRules>).families, ['ipv4', 'ipv6']);
	t.deepEqual(parseRules('*nat\n-A OUTPUT -m odd -j RETURN\nCOMMIT\n', {allowModules: true}).allowedModules, ['odd']);
	t.true(classesOf([rules]).classes.length > 0);
});

test('a dump without a choice of families has those that its text shows', async t => {
	const dump = (text: string) => `*nat\n:OUTPUT ACCEPT [0:0]\n${text}COMMIT\n`;
	const [v4, v6, either] = [dump('-A OUTPUT -d 10.0.0.0/8 -j RETURN\n'), dump('-A OUTPUT -d 2001:db8::/32 -j RETURN\n'), dump('-A OUTPUT -p tcp -j RETURN\n')];
	t.deepEqual(parseRules(v6).families, ['ipv6']);
	t.deepEqual(parseRules(v4).families, ['ipv4']);
	t.deepEqual(parseRules(`${v4}${v6}`).families, ['ipv4', 'ipv6']);
	t.deepEqual(parseRules('table inet t { chain c { type nat hook output priority -100; tcp dport 1 return; }; }').families, ['ipv4', 'ipv6']);
	const untold = parseRules(either);
	t.deepEqual(untold.families, ['ipv4']);
	t.true(untold.warnings.some(text => text.includes('so they are read as IPv4')));
	t.deepEqual(parseRules(either, {families: ['ipv6']}).families, ['ipv6']);
	const file = await temporaryFile();
	writeFileSync(file.path, v6);
	t.deepEqual(loadRules(file.path).families, ['ipv6']);
	await file.cleanup();
	// Asked for the other family, it says what the dump is.
	t.throws(() => parseRules(v6, {families: ['ipv4']}), {message: /is an IPv6 dump/u});
});
