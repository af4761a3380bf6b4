import test from 'ava';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {generate} from '../../../../src/istio/generate.js';
import {InputError} from '../../../../src/parsing/input-error.js';
import {releaseLines} from '../../../../src/istio/releases.js';
import {roleOf, roles, type Role} from '../../../../src/istio/roles/roles.js';
import {rulesOf} from '../../../../src/netfilter/lookup.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {readIptablesRuns} from '../../../helpers/istio-real.js';

const names = Object.keys(roles) as readonly Role[];

/** A release line as a number that grows with it. */
function rank(release: string): number {
	const [major = '0', minor = '0'] = release.replace(/^[≤≥] /u, '').split('.');
	return (Number(major) * 1000) + Number(minor);
}

/** Whether a history lets a release line have the role. */
function allows(role: Role, release: string): boolean {
	const {until} = roles[role];
	const since = roles[role].since ?? '';
	return (since.startsWith('≤') || rank(release) >= rank(since)) && (until === null || rank(release) <= rank(until));
}

/** Options that bring every role of a sidecar, in one release or another. A release that does not know one refuses it. */
const options = [
	'', '--redirect-dns', 'DNS_CAPTURE=1', 'DNS_AGENT=1', 'ISTIO_META_DNS_CAPTURE=true', '-m TPROXY', '-m TPROXY -b 80', '-b 80', '-q 81', '-o 82', '-i 10.0.0.0/8', '-x 10.0.0.0/8',
	'--istio-exclude-interfaces eth1', '-k eth1', '--drop-invalid', 'ISTIO_OUTBOUND_OWNER_GROUPS=2', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=2', 'ISTIO_META_DNS_CAPTURE=true ISTIO_OUTBOUND_OWNER_GROUPS=2',
	'ISTIO_META_DNS_CAPTURE=true ISTIO_META_DNS_CONNTRACK_ZONE=true',
];

/** The lines in which the generator writes each role. */
function linesByRole(): ReadonlyMap<Role, ReadonlySet<string>> {
	const found = new Map<Role, Set<string>>();
	for (const {name} of releaseLines) {
		for (const text of options) {
			for (const {rule, table, chain} of rulesOf(rulesFor(name, text))) {
				const role = roleOf(rule, table, chain);
				if (role !== undefined) {
					found.set(role, (found.get(role) ?? new Set()).add(name));
				}
			}
		}
	}

	return found;
}

function rulesFor(name: string, text: string): ReturnType<typeof generate> {
	try {
		return generate({...parseReleaseInput(`release:${name} ${text}`), families: ['ipv4', 'ipv6'], backend: 'iptables-nft'});
	} catch (error) {
		if (error instanceof InputError) {
			return {tables: []};
		}

		throw error;
	}
}

test('every role has its releases and the source for them', t => {
	for (const name of names) {
		const {until, source} = roles[name];
		const since = roles[name].since ?? '';
		t.regex(since, /^(?:[≤≥] )?1\.\d+(?:\.\d+)?$/u, name);
		t.regex(until ?? '1.30', /^1\.\d+$/u, name);
		t.regex(source, /istio/u, name);
	}
});

test('the generator writes a role in exactly the lines that its history names', t => {
	const lines = linesByRole();
	// Between its two lives another role does its work, as its source says.
	const isPaused = (role: Role, name: string): boolean => role === 'dns-redirect-udp' && allows('dns-translate', name);
	const wanted = (role: Role): readonly string[] => releaseLines.map(({name}) => name).filter(name => allows(role, name) && !isPaused(role, name));
	const wrong = names.filter(name => !name.startsWith('ambient-')).map(role => ({role, found: [...lines.get(role) ?? []].join(' '), wanted: wanted(role).join(' ')}));
	t.deepEqual(wrong.filter(({found, wanted: expected}) => found !== expected), []);
});

test('no measured release writes a rule of a role before its time', t => {
	const wrong = new Set<string>();
	let seen = 0;
	for (const {release, rc, v4, v6} of readIptablesRuns()) {
		for (const [text, family] of [[v4, 'ipv4'], [v6, 'ipv6']] as const) {
			for (const {rule, table, chain} of rc === 0 && text.includes('COMMIT') ? rulesOf(parseSave(text, family)) : []) {
				const role = roleOf(rule, table, chain);
				seen += role === undefined ? 0 : 1;
				// A port 22 that somebody excludes looks like the one that was always excluded until 1.12.
				if (role !== undefined && role !== 'inbound-ssh' && !allows(role, release)) {
					wrong.add(`${role} in ${release}`);
				}
			}
		}
	}

	t.true(seen > 1000);
	t.deepEqual([...wrong], []);
});
