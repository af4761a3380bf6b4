/**
A baseline as a file: JSON with one class per line, in a stable order, so that a reviewer of a pull request sees what moved. Printing and parsing are one unit.
*/

import {InputError} from '../parsing/input-error.js';
import {placeInJson} from '../parsing/json-place.js';
import {visibleText} from '../parsing/visible-text.js';
import {printPath, valid, type DataPath} from '../parsing/validate.js';
import {parseAddress, printAddress} from '../netfilter/address.js';
import {languageOf} from '../netfilter/backends.js';
import {ParseError} from '../netfilter/parse-error.js';
import {printEndpoint, type Endpoint} from '../netfilter/path.js';
import {
	parseText, printTexts, textFamilies, type TextFamily,
} from '../netfilter/rule-texts.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import type {
	Baseline, RecordedCase, RecordedClass, RecordedRules,
} from './baseline.js';
import {
	baselineHead, baselineKind, baselineSchema, baselineVersion, type BaselineData,
} from './schema.js';

export {baselineKind, baselineVersion} from './schema.js';

const portMax = 0xFF_FF;
const damaged = 'This baseline is damaged';

/** The file's text. Equal baselines have equal texts. */
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

/** By code points, because the order of a locale differs between machines. */
function sorted(lines: readonly string[]): readonly string[] {
	return [...lines].toSorted((one, other) => (one < other ? -1 : (one > other ? 1 : 0)));
}

function quote(value: unknown): string {
	return JSON.stringify(value);
}

/**
Parses a baseline.

@throws {InputError} that names the place: it is not JSON, not a baseline, of a newer version, or damaged.
*/
export function parseBaseline(text: string): Baseline {
	const data = readJson(text);
	if (isRecord(data) && data['kind'] !== baselineKind) {
		throw new InputError(`This is not a baseline: "kind" is not "${baselineKind}". testbed baseline create writes one.`);
	}

	const {version} = valid(baselineHead, data, damaged);
	if (version > baselineVersion) {
		throw new InputError(`This baseline is of version ${version}, but this testbed reads up to version ${baselineVersion}: a newer one wrote it.`);
	}

	if (Number.isInteger(version) && version > 0 && version < baselineVersion) {
		throw new InputError(`This baseline is of version ${version}, from before the proxy behaved like Envoy: connections to ports 15090 and 15021 now continue to ports 15000 and 15020 on localhost, and connections to the proxy's own ports are closed, so old records would always differ. Create it again: testbed baseline create, with the rules that it was made of${sourceIn(data)}.`);
	}

	const {environment, rules, ruleText, proxy, classes, cases} = valid(baselineSchema, data, damaged);
	return {
		environment,
		rules: {
			source: rules.source,
			source6: rules.source6,
			dnsServers: rules.dnsServers,
			release: rules.release,
			backend: rules.backend,
			sha256: rules.sha256,
			families: rules.families,
			markRules: rules.markRules.map(({family, mark, table, mask, priority}) => ({
				family, mark, table, ...(mask === undefined ? {} : {mask}), ...(priority === undefined ? {} : {priority}),
			})),
			ruleSet: readRuleSet(ruleText, rules),
		},
		proxy: {uid: proxy.uid, gid: proxy.gid},
		classes: classes.map((each, index) => readClass(each, index, rules.families)),
		cases: cases.map(({of, id, name, family, stops, roles}) => ({
			of, id, name, family, stops, roles,
		})),
	};
}

function readJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new InputError(`This is not a baseline: it is not JSON${placeInJson(error, text)}.`);
	}
}

/** The rules that an older file names, in parentheses. */
function sourceIn(data: unknown): string {
	const rules = isRecord(data) ? data['rules'] : undefined;
	const source = isRecord(rules) ? rules['source'] : undefined;
	return typeof source === 'string' ? ` (${visibleText(source)})` : '';
}

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
	return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function damagedAt(path: DataPath, complaint: string): InputError {
	return new InputError(`${damaged}: "${printPath(path)}" ${complaint}.`);
}

function readRuleSet(texts: BaselineData['ruleText'], {backend, families}: BaselineData['rules']): RuleSet {
	const read = (family: TextFamily): RuleSet => {
		const name = nameOfText(family);
		const lines = Object.hasOwn(texts, name) ? texts[name] : undefined;
		if (lines === undefined) {
			throw damagedAt(['ruleText', name], 'is missing; expected the lines of the rules');
		}

		try {
			return parseText({family, text: lines.length === 0 ? '' : `${lines.join('\n')}\n`});
		} catch (error) {
			if (error instanceof ParseError) {
				throw damagedAt(['ruleText', nameOfText(family)], `has rules that are not understood: ${error.message}`);
			}

			throw error;
		}
	};

	return {tables: textFamilies(languageOf(backend), families).flatMap(family => read(family).tables)};
}

function readClass({
	family, traffic, probe, arrivals, stops, roles,
}: BaselineData['classes'][number], index: number, own: readonly AddressFamily[]): RecordedClass {
	if (!own.includes(family)) {
		throw damagedAt(['classes', index, 'family'], `is ${family}, which is not in "rules.families"`);
	}

	const destination = endpointOf(probe.to, family);
	if (destination === undefined) {
		throw damagedAt(['classes', index, 'probe', 'to'], `is not an ${family} address with a port`);
	}

	const {from, proto: protocol, uid, gid, source, sourcePort, mark} = probe;
	return {
		traffic,
		probe: {
			family, origin: from === 'app' ? 'pod' : 'remote', protocol, uid, gid, source, sourcePort, destination, mark,
		},
		arrivals,
		stops,
		roles,
	};
}

/** `10.0.0.1:80`, `[::1]:80`. */
function endpointOf(text: string, family: AddressFamily): Endpoint | undefined {
	const {six, four, port = ''} = /^(?:\[(?<six>[^\]]*)\]|(?<four>[^:]*)):(?<port>\d{1,5})$/u.exec(text)?.groups ?? {};
	const parsed = parseAddress(six ?? four ?? '', family);
	return parsed === undefined || port === '' || Number(port) > portMax ? undefined : {address: printAddress(parsed), port: Number(port)};
}
