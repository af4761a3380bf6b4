/**
The grammar of one rule: `-p tcp -m tcp --dport 80 -j RETURN` as matches and a target. Nothing is dropped: what has no field becomes an `opaque` match or an `extension` target with its words verbatim.
*/

import {
	matchModules, modulesThatNeedAnOption, modulesWithOption, optionsOfProtocol, type MatchOption,
} from './match-modules.js';
import {parseInterface, parseProtocol, parseRuleAddress} from './rule-values.js';
import {readTarget, type TargetWords} from './rule-target.js';
import type {AddressFamily, Match, Target} from './types.js';
import {
	RuleSyntaxError, splitWords, verbatim, type Word,
} from './words.js';

/** What a rule says, with its text cleaned of counters. A jump names its chain; whether that chain is there, only the table knows. */
export type ParsedRule = {readonly matches: readonly Match[]; readonly target: Target; readonly text: string};

/** Words that belong together and are kept as they are. */
type Opaque = {readonly name: string; readonly words: Word[]};

type LoadedModule = {readonly name: string; readonly options: ReadonlyMap<string, MatchOption> | undefined; readonly used: Set<string>; readonly opaque: Opaque | undefined};

type Option = {readonly name: string; readonly word: Word; readonly negation: Word | undefined; readonly inlineValue: string | undefined};

const coreOptions: ReadonlyMap<string, keyof typeof readCore> = new Map(([
	['protocol', '-p --protocol --proto'],
	['source', '-s --source --src'],
	['destination', '-d --destination --dst'],
	['in-interface', '-i --in-interface'],
	['out-interface', '-o --out-interface'],
	['fragment', '-f --fragment'],
	['module', '-m --match'],
	['jump', '-j --jump'],
	['goto', '-g --goto'],
	['counters', '-c --set-counters'],
] as const).flatMap(([core, names]) => names.split(' ').map(name => [name, core] as const)));

/** Reads the part of a line behind `-A CHAIN`. */
export function parseRuleText(text: string, family: AddressFamily): ParsedRule {
	const reader: Reader = {
		line: text, words: splitWords(text), next: 0, family, parts: [], modules: [], seen: new Set(), protocol: undefined, target: undefined, cuts: [],
	};
	while (reader.next < reader.words.length) {
		readOption(reader);
	}

	for (const {name, used} of reader.modules) {
		if (modulesThatNeedAnOption.has(name) && used.size === 0) {
			throw new RuleSyntaxError(`-m ${name} without an option of it`);
		}

		if (['tcp', 'udp', 'sctp', 'dccp'].includes(name) && reader.protocol !== name) {
			throw new RuleSyntaxError(`-m ${name} without -p ${name}`);
		}
	}

	return {
		matches: reader.parts.map(part => 'words' in part ? {kind: 'opaque', text: verbatim(text, part.words)} : part),
		target: readTarget(reader.target, {line: text, protocol: reader.protocol}),
		text: without(text, reader.cuts),
	};
}

type Reader = {
	readonly line: string;
	readonly words: readonly Word[];
	next: number;
	readonly family: AddressFamily;
	readonly parts: Array<Match | Opaque>;
	readonly modules: LoadedModule[];
	readonly seen: Set<string>;
	protocol: string | undefined;
	target: TargetWords | undefined;
	readonly cuts: Word[];
};

function readOption(reader: Reader): void {
	const negation = isNegation(reader.words[reader.next]) ? reader.words[reader.next++] : undefined;
	const word = reader.words[reader.next++];
	if (word === undefined) {
		throw new RuleSyntaxError('"!" with nothing behind it');
	}

	if (word.quoted || !/^-./.test(word.text)) {
		readStrayWord(reader, word, negation);
		return;
	}

	const [, name = word.text, inlineValue] = /^(--[^=]+)=(.*)$/.exec(word.text) ?? [];
	const option: Option = {
		name, word, negation, inlineValue,
	};
	const core = coreOptions.get(name);
	if (core === undefined || (name === '--proto' && reader.modules.at(-1)?.opaque !== undefined)) {
		readExtensionOption(reader, option);
		return;
	}

	if (core !== 'module' && reader.seen.has(core)) {
		throw new RuleSyntaxError(`${name} is given twice`);
	}

	reader.seen.add(core);
	readCore[core](reader, option);
}

/** A word that is no option: a value of a module or a target that we do not know, or an error. */
function readStrayWord(reader: Reader, word: Word, negation: Word | undefined): void {
	const owner = reader.target?.words ?? reader.modules.at(-1)?.opaque?.words;
	if (owner === undefined || owner.length === 0) {
		throw new RuleSyntaxError(`unexpected word "${word.text}"`);
	}

	owner.push(...(negation === undefined ? [] : [negation]), word);
}

function readExtensionOption(reader: Reader, option: Option): void {
	const {name, word, negation} = option;
	const module = findModule(reader, name);
	const row = module?.options?.get(name);
	if (module !== undefined && row !== undefined) {
		module.used.add(name);
		readMatchOption(reader, option, {module: module.name, row});
		return;
	}

	// An unknown module claims the options that no known one has; behind `-j`, they are the target's.
	const owner = reader.target?.words ?? reader.modules.findLast(({opaque}) => opaque !== undefined)?.opaque?.words;
	if (owner === undefined || !name.startsWith('--')) {
		const homes = modulesWithOption(name);
		const hint = homes.length === 0 ? '' : ` (it is one of ${homes.map(home => `-m ${home}`).join(', ')})`;
		throw new RuleSyntaxError(name.startsWith('--') ? `option ${name} belongs to no module or target in sight${hint}` : `unknown flag ${name}`);
	}

	owner.push(...(negation === undefined ? [] : [negation]), word);
}

/** The latest known module in sight that has an option and has not used it yet; the protocol's own is loaded on first use. */
function findModule(reader: Reader, name: string): LoadedModule | undefined {
	const candidates = reader.modules.filter(({options}) => options?.has(name));
	const free = candidates.findLast(({used}) => !used.has(name));
	if (free !== undefined) {
		return free;
	}

	const hasUnknown = reader.target !== undefined || reader.modules.some(({opaque}) => opaque !== undefined);
	if (candidates.length > 0) {
		if (hasUnknown) {
			return undefined;
		}

		throw new RuleSyntaxError(`${name} is given twice`);
	}

	const options = optionsOfProtocol(reader.protocol);
	if (reader.protocol === undefined || !options?.has(name)) {
		return undefined;
	}

	const module: LoadedModule = {
		name: reader.protocol, options, used: new Set(), opaque: undefined,
	};
	reader.modules.push(module);
	return module;
}

function readMatchOption(reader: Reader, option: Option, {module, row}: {readonly module: string; readonly row: MatchOption}): void {
	const from = reader.next - 1;
	const values = Array.from({length: row.values}, (_, index) => takeValue(reader, index === 0 ? option : {...option, inlineValue: undefined}));
	if (row.read === undefined) {
		const text = verbatim(reader.line, [...(option.negation === undefined ? [] : [option.negation]), ...reader.words.slice(from, reader.next)]);
		reader.parts.push({kind: 'opaque', text: `-m ${module} ${text}`});
		return;
	}

	if (module === 'comment' && option.negation !== undefined) {
		throw new RuleSyntaxError('a comment cannot be negated');
	}

	reader.parts.push(row.read(values[0] ?? '', option.negation !== undefined));
}

const readCore = {
	protocol(reader: Reader, option: Option): void {
		const protocol = parseProtocol(takeValue(reader, option));
		const negated = option.negation !== undefined;
		if (protocol === undefined) {
			refuseNegation(option, 'every protocol');
			return;
		}

		reader.protocol = negated ? undefined : protocol;
		reader.parts.push({kind: 'protocol', negated, protocol});
	},
	source(reader: Reader, option: Option) {
		readAddress(reader, option, 'source');
	},
	destination(reader: Reader, option: Option) {
		readAddress(reader, option, 'destination');
	},
	'in-interface'(reader: Reader, option: Option) {
		reader.parts.push({kind: 'in-interface', negated: option.negation !== undefined, name: parseInterface(takeValue(reader, option))});
	},
	'out-interface'(reader: Reader, option: Option) {
		reader.parts.push({kind: 'out-interface', negated: option.negation !== undefined, name: parseInterface(takeValue(reader, option))});
	},
	fragment(reader: Reader, {name, negation}: Option): void {
		if (reader.family === 'ipv6') {
			throw new RuleSyntaxError(`${name} is for IPv4 only`);
		}

		reader.parts.push({kind: 'opaque', text: negation === undefined ? '-f' : '! -f'});
	},
	module(reader: Reader, option: Option): void {
		refuseNegation(option, 'a module');
		const name = takeValue(reader, option);
		const options = matchModules.get(name);
		const opaque = options === undefined ? {name, words: reader.words.slice(reader.next - 2, reader.next)} : undefined;
		reader.modules.push({
			name, options, used: new Set(), opaque,
		});
		if (opaque !== undefined) {
			reader.parts.push(opaque);
		}
	},
	jump(reader: Reader, option: Option): void {
		readJump(reader, option, 'jump');
	},
	goto(reader: Reader, option: Option): void {
		readJump(reader, option, 'goto');
	},
	counters(reader: Reader, option: Option): void {
		refuseNegation(option, 'counters');
		const from = reader.next - 1;
		const values = [takeValue(reader, option), takeValue(reader, {...option, inlineValue: undefined})];
		if (!values.every(value => /^\d+$/.test(value))) {
			throw new RuleSyntaxError(`bad counters "${values.join(' ')}": two whole numbers are due`);
		}

		reader.cuts.push(...reader.words.slice(from, reader.next));
	},
};

function readJump(reader: Reader, option: Option, via: 'jump' | 'goto'): void {
	refuseNegation(option, 'a target');
	if (reader.target !== undefined) {
		throw new RuleSyntaxError('two targets');
	}

	reader.target = {via, name: takeValue(reader, option), words: []};
}

function readAddress(reader: Reader, option: Option, kind: 'source' | 'destination'): void {
	const value = takeValue(reader, option);
	const negated = option.negation !== undefined;
	const address = parseRuleAddress(value, reader.family);
	if (address === undefined) {
		reader.parts.push({kind: 'opaque', text: `${negated ? '! ' : ''}${kind === 'source' ? '-s' : '-d'} ${value}`});
		return;
	}

	reader.parts.push({kind, negated, address});
}

/** The value of an option. A plain word that begins with a dash is the next option, not a value. */
function takeValue(reader: Reader, {name, inlineValue}: Option): string {
	if (inlineValue !== undefined) {
		return inlineValue;
	}

	const word = reader.words[reader.next];
	if (word === undefined || isNegation(word) || (!word.quoted && /^-./.test(word.text))) {
		throw new RuleSyntaxError(`${name} needs a value`);
	}

	reader.next++;
	return word.text;
}

function refuseNegation({name, negation}: Option, what: string): void {
	if (negation !== undefined) {
		throw new RuleSyntaxError(`"!" in front of ${name}: ${what} cannot be negated`);
	}
}

function isNegation(word: Word | undefined): boolean {
	return word?.text === '!' && !word.quoted;
}

/** A line without some of its words and the blanks behind them. */
function without(line: string, cuts: readonly Word[]): string {
	let text = line;
	for (const {start, end} of cuts.toReversed()) {
		text = text.slice(0, start) + text.slice(end).trimStart();
	}

	return text.trim();
}
