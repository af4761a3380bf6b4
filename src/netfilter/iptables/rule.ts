/**
The grammar of one rule: `-p tcp -m tcp --dport 80 -j RETURN` as matches and a target. Nothing is dropped: a part without a field becomes an `opaque` match or an `extension` target with its words verbatim.
*/

import {TextMemo} from '../text-memo.js';
import type {AddressFamily, Match, Target} from '../types.js';
import {
	RuleSyntaxError, splitWords, verbatim, type Word,
} from '../words.js';
import {
	modulesThatNeedAnOption, modulesWithOption, optionsOfProtocol, portProtocols, type MatchOption,
} from './match-modules.js';
import {coreOptions, readCore} from './core-options.js';
import {
	editedText, isNegation, isOption, modernise, takeValue, wordsOf, type LoadedModule, type Option, type Reader, type RulePart, type TargetWords,
} from './rule-reader.js';
import {checkOpaqueOption, checkOpaqueWord} from './opaque-options.js';
import {readTarget} from './target.js';

/** The parsed rule, with counters removed from its text. A jump names its chain; only the table knows whether the chain exists. */
export type ParsedRule = {readonly matches: readonly Match[]; readonly target: Target; readonly text: string};

/** A rule with the words that it was parsed from. `hasOldNegation`: the text is not verbatim, because an old `--dport ! 80` was rewritten as `! --dport 80`. */
export type RuleReading = {
	readonly rule: ParsedRule;
	readonly parts: readonly RulePart[];
	readonly targetWords: TargetWords | undefined;
	readonly hasOldNegation: boolean;
};

/**
Parses the part of a line after `-A CHAIN`.

@throws {RuleSyntaxError} if iptables would not accept it as a rule.
*/
export function parseRuleText(text: string, family: AddressFamily): ParsedRule {
	return readRule(text, family).rule;
}

/**
Parses a rule and keeps how it was written. The same text gives the same object.

@throws {RuleSyntaxError} if iptables would not accept it as a rule.
*/
export function readRule(text: string, family: AddressFamily): RuleReading {
	return readings[family].of(text);
}

/** A rule takes some 2 kB. */
const rememberedMax = 12_000;

const readings: Readonly<Record<AddressFamily, TextMemo<RuleReading>>> = {
	ipv4: new TextMemo(text => readAnew(text, 'ipv4'), rememberedMax),
	ipv6: new TextMemo(text => readAnew(text, 'ipv6'), rememberedMax),
};

function readAnew(text: string, family: AddressFamily): RuleReading {
	const reader: Reader = {
		line: text, words: splitWords(text), next: 0, family, parts: [], modules: [], seen: new Set(), protocol: undefined, target: undefined,
		owner: undefined, openOption: undefined, edits: [], hasOldNegation: false,
	};
	while (reader.next < reader.words.length) {
		readOption(reader);
	}

	for (const {name, used} of reader.modules) {
		checkModule(reader, {name, used});
	}

	return {
		rule: {
			matches: reader.parts.map(part => part.match ?? {kind: 'opaque', text: opaqueText(text, part)}),
			target: readTarget(reader.target, {line: text, protocol: reader.protocol}),
			text: editedText(reader),
		},
		parts: reader.parts,
		targetWords: reader.target,
		hasOldNegation: reader.hasOldNegation,
	};
}

function checkModule({protocol}: Reader, {name, used}: Pick<LoadedModule, 'name' | 'used'>): void {
	if (modulesThatNeedAnOption.has(name) && used.size === 0) {
		throw new RuleSyntaxError(`-m ${name} without an option of it`);
	}

	if (portProtocols.has(name) && protocol !== name) {
		throw new RuleSyntaxError(`-m ${name} without -p ${name}`);
	}
}

function opaqueText(line: string, {module, option, words}: RulePart): string {
	return option === '-m' ? verbatim(line, words) : `-m ${module} ${verbatim(line, words)}`;
}

function readOption(reader: Reader): void {
	closeOption(reader);
	const negation = isNegation(reader.words[reader.next]) ? reader.words[reader.next++] : undefined;
	const word = reader.words[reader.next++];
	if (word === undefined) {
		throw new RuleSyntaxError('"!" with nothing after it');
	}

	if (!isOption(word)) {
		readStrayWord(reader, word, negation);
		return;
	}

	const [, written = word.text, inlineValue] = word.text.includes('=') ? /^(--[^=]+)=(.*)$/.exec(word.text) ?? [] : [];
	const name = fullName(reader, written);
	const option: Option = {
		name, word, negation, inlineValue,
	};
	const core = coreOptions.get(name);
	if (core === undefined || (name === '--proto' && reader.modules.at(-1)?.whole !== undefined)) {
		readExtensionOption(reader, option);
		return;
	}

	if (core !== 'module' && reader.seen.has(core)) {
		throw new RuleSyntaxError(`${name} is given twice`);
	}

	reader.seen.add(core);
	readCore[core](reader, option);
}

/** An option that expects a value takes the next word, whatever it is, as in getopt_long(3). A word that would be an option is rejected here. */
function closeOption(reader: Reader): void {
	const next = reader.words[reader.next];
	if (reader.openOption?.takesValue === true && next !== undefined && (isOption(next) || isNegation(next))) {
		throw new RuleSyntaxError(`${reader.openOption.label} needs a value`);
	}

	reader.openOption = next !== undefined && (isOption(next) || isNegation(next)) ? undefined : reader.openOption;
}

/** What an abbreviation stands for, if there is only one possibility: `--uid` for `--uid-owner`, as in getopt_long(3). After an unknown module or a target, whose options are not known, it is left unchanged. */
function fullName(reader: Reader, written: string): string {
	if (reader.owner !== undefined || !written.startsWith('--') || coreOptions.has(written)) {
		return written;
	}

	const options = [...reader.modules.map(({options: ofModule}) => ofModule), optionsOfProtocol(reader.protocol)?.options].filter(ofModule => ofModule !== undefined);
	if (options.some(ofModule => ofModule.has(written))) {
		return written;
	}

	const found = new Map<string, string>();
	for (const [name, row] of [...coreOptions, ...options.flatMap(ofModule => [...ofModule])]) {
		if (name.startsWith(written)) {
			found.set(typeof row === 'string' ? row : row.alias ?? name, name);
		}
	}

	const [name = written] = found.values();
	return found.size === 1 ? name : written;
}

/** A word that is not an option: a value of an unknown module or target, or an error. */
function readStrayWord(reader: Reader, word: Word, negation: Word | undefined): void {
	const {owner} = reader;
	if (owner === undefined || owner.length === 0) {
		throw new RuleSyntaxError(`unexpected word "${word.text}"`);
	}

	checkOpaqueWord(word, reader.openOption);
	reader.openOption = undefined;
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

	// An unknown module or a target claims the options that no known module has.
	if (reader.owner === undefined || !name.startsWith('--')) {
		const homes = modulesWithOption(name);
		const hint = homes.length === 0 ? '' : ` (it is one of ${homes.map(home => `-m ${home}`).join(', ')})`;
		throw new RuleSyntaxError(name.startsWith('--') ? `option ${name} belongs to no preceding module or target${hint}` : `unknown flag ${name}`);
	}

	reader.openOption = checkOpaqueOption(reader, option);
	reader.owner.push(...(negation === undefined ? [] : [negation]), word);
}

/** The last known module before it that has the option and has not used it yet; the protocol's own module is loaded on first use. */
function findModule(reader: Reader, name: string): LoadedModule | undefined {
	const candidates = reader.modules.filter(({options}) => options?.has(name));
	const free = candidates.findLast(({used}) => !used.has(name));
	if (free !== undefined) {
		return free;
	}

	if (candidates.length > 0) {
		if (reader.owner !== undefined) {
			return undefined;
		}

		throw new RuleSyntaxError(`${name} is given twice`);
	}

	const module = optionsOfProtocol(reader.protocol);
	if (!module?.options.has(name)) {
		return undefined;
	}

	const loaded: LoadedModule = {...module, used: new Set(), whole: undefined};
	reader.modules.push(loaded);
	return loaded;
}

function readMatchOption(reader: Reader, given: Option, {module, row}: {readonly module: string; readonly row: MatchOption}): void {
	const option = row.values === 0 ? given : modernise(reader, given);
	const values = Array.from({length: row.values}, (_, index) => takeValue(reader, index === 0 ? option : {...option, inlineValue: undefined}));
	const negated = option.negation !== undefined;
	if (module === 'comment' && negated) {
		throw new RuleSyntaxError('a comment cannot be negated');
	}

	reader.parts.push({
		module, option: row.alias ?? option.name, negated, match: row.read?.(values[0] ?? '', negated), words: wordsOf(reader, option),
	});
}
