/**
A baseline as a file: JSON with a class a line, in an order that stays, so that a reviewer sees in a pull request what moved. Printing and parsing are one unit.
*/

import {InputError} from '../parsing/input-error.js';
import {languageOf} from '../netfilter/backends.js';
import {ParseError} from '../netfilter/parse-error.js';
import {printEndpoint} from '../netfilter/path.js';
import {
	parseText, printTexts, textFamilies, type TextFamily,
} from '../netfilter/rule-texts.js';
import {
	backends, type AddressFamily, type Backend, type RuleSet,
} from '../netfilter/types.js';
import type {
	Baseline, RecordedCase, RecordedClass, RecordedRules,
} from './baseline.js';
import {Reader} from './reader.js';

/** The version of the format that is written, and the newest that is read. */
export const baselineVersion = 1;

/** What the file says that it is. */
export const baselineKind = 'sidecar-netfilter-baseline';

/** The file's text. Two recordings of the same have the same text. */
export function printBaseline({environment, rules, proxy, classes, cases}: Baseline): string {
	const {ruleSet, ...head} = rules;
	const texts = Object.entries(textsByName(ruleSet, head)).map(([name, text]) => `${quote(name)}: ${printList(text.split('\n').filter(line => line !== '').map(line => quote(line)), '\t\t')}`);
	return `{
	"version": ${baselineVersion},
	"kind": ${quote(baselineKind)},
	"environment": ${quote(environment)},
	"rules": ${quote(head)},
	"proxy": ${quote(proxy)},
	"ruleText": {
		${texts.join(',\n\t\t')}
	},
	"classes": ${printList(sorted(classes.map(each => printClass(each))), '\t')},
	"cases": ${printList(sorted(cases.map(each => printCase(each))), '\t')}
}
`;
}

function printClass({traffic, probe, arrivals, stops, roles}: RecordedClass): string {
	const {family, origin, protocol, uid, gid, source, sourcePort, destination, mark} = probe;
	// The keys of a line of `testbed probe --batch`.
	const asked = {
		from: origin === 'pod' ? 'app' : 'remote', proto: protocol, uid, gid, source, sourcePort, mark, to: printEndpoint(destination),
	};
	return quote({
		family, traffic, probe: asked, arrivals, stops, roles,
	});
}

function printCase({of, family, id, name, stops, roles}: RecordedCase): string {
	return quote({
		of, family, id, name, stops, roles,
	});
}

function textsByName(ruleSet: RuleSet, {backend, families}: Pick<RecordedRules, 'backend' | 'families'>): Readonly<Record<string, string>> {
	return Object.fromEntries(printTexts(languageOf(backend), ruleSet, families).map(({family, text}) => [nameOfText(family), text]));
}

/** The key of a text in the file. */
function nameOfText(family: TextFamily): string {
	return family ?? 'nft';
}

function printList(lines: readonly string[], indent: string): string {
	return lines.length === 0 ? '[]' : `[\n${lines.map(line => `${indent}\t${line}`).join(',\n')}\n${indent}]`;
}

/** By code points: the order of a locale is another one elsewhere. */
function sorted(lines: readonly string[]): readonly string[] {
	return [...lines].toSorted((one, other) => (one < other ? -1 : (one > other ? 1 : 0)));
}

function quote(value: unknown): string {
	return JSON.stringify(value);
}

const families: readonly AddressFamily[] = ['ipv4', 'ipv6'];

/**
A baseline from its text.

@throws {InputError} that names the place: it is no JSON, no baseline, of a newer version, or damaged.
*/
export function parseBaseline(text: string): Baseline {
	const file = Reader.ofText(text);
	if (file.maybe('kind')?.value !== baselineKind) {
		throw new InputError(`This is no baseline: "kind" is not "${baselineKind}". testbed baseline create writes one.`);
	}

	const version = file.at('version').number();
	if (version > baselineVersion) {
		throw new InputError(`This baseline is of version ${version}, and this testbed reads up to version ${baselineVersion}: a newer one wrote it.`);
	}

	const rules = readRules(file);
	const classes = file.at('classes').list().map(each => readClass(each, rules.families));
	if (classes.length === 0) {
		throw new InputError('This baseline is damaged: "classes" holds none, so there is nothing to compare with.');
	}

	const proxy = file.at('proxy');
	return {
		environment: file.at('environment').texts(),
		rules,
		proxy: {uid: proxy.at('uid').number(), gid: proxy.at('gid').number()},
		classes,
		cases: file.at('cases').list().map(each => readCase(each)),
	};
}

function readRules(file: Reader): RecordedRules {
	const head = file.at('rules');
	const own = head.at('families').list().map(each => each.choice(families));
	const backend = head.at('backend').choice(backends);
	return {
		source: head.at('source').text(),
		source6: head.at('source6').orNull(each => each.text()),
		dnsServers: head.at('dnsServers').orNull(each => each.list().map(server => server.text())),
		release: head.at('release').orNull(each => each.text()),
		backend,
		sha256: head.at('sha256').text(),
		families: own,
		markRules: head.at('markRules').list().map(each => ({
			family: each.at('family').choice(families), mark: each.at('mark').number(), table: each.at('table').number(), ...(each.maybe('mask') === undefined ? {} : {mask: each.at('mask').number()}), ...(each.maybe('priority') === undefined ? {} : {priority: each.at('priority').number()}),
		})),
		ruleSet: readRuleSet(file.at('ruleText'), {backend, own}),
	};
}

function readRuleSet(texts: Reader, {backend, own}: {readonly backend: Backend; readonly own: readonly AddressFamily[]}): RuleSet {
	const read = (family: TextFamily): RuleSet => {
		const place = texts.at(nameOfText(family));
		const lines = place.list().map(line => line.text());
		try {
			return parseText({family, text: lines.length === 0 ? '' : `${lines.join('\n')}\n`});
		} catch (error) {
			if (error instanceof ParseError) {
				throw place.damaged(`holds rules that are not understood: ${error.message}`);
			}

			throw error;
		}
	};

	return {tables: textFamilies(languageOf(backend), own).flatMap(family => read(family).tables)};
}

function readClass(line: Reader, own: readonly AddressFamily[]): RecordedClass {
	const probe = line.at('probe');
	const family = line.at('family').choice(own);
	const number = (name: string) => probe.maybe(name)?.number();
	return {
		traffic: line.at('traffic').list().map(each => each.text()),
		probe: {
			family,
			origin: probe.at('from').choice(['app', 'remote']) === 'app' ? 'pod' : 'remote',
			protocol: probe.at('proto').choice(['tcp', 'udp']),
			uid: number('uid'),
			gid: number('gid'),
			source: probe.maybe('source')?.text(),
			sourcePort: number('sourcePort'),
			destination: probe.at('to').endpoint(family),
			mark: number('mark'),
		},
		arrivals: line.at('arrivals').some().map(each => each.text()),
		stops: line.at('stops').list().map(each => each.text()),
		roles: line.at('roles').some().map(leg => leg.list().map(each => each.text())),
	};
}

function readCase(line: Reader): RecordedCase {
	return {
		of: line.at('of').text(),
		id: line.at('id').text(),
		name: line.at('name').text(),
		family: line.at('family').choice(families),
		stops: line.at('stops').list().map(each => each.text()),
		roles: line.at('roles').list().map(each => each.orNull(role => role.text())),
	};
}
