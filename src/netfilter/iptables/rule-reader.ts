/**
What the readers of a rule's parts share: the position in the line, what has been found, and how a value is read.
*/

import type {AddressFamily, Match} from '../types.js';
import {RuleSyntaxError, type Word} from '../words.js';
import type {MatchOption} from './match-modules.js';

/** One condition as it was written. `match` is undefined if it has no field; then `words` are its meaning. */
export type RulePart = {
	/** The module that it belongs to; empty for iptables itself. */
	readonly module: string;
	/** The option's full name, whatever abbreviation or alias was written; `-m` for a module that is kept as a whole. */
	readonly option: string;
	readonly negated: boolean;
	readonly match: Match | undefined;
	/** The option with its `!` and its values; all words of a module that is kept as a whole, `-m` included. */
	readonly words: Word[];
};

/** A module that has been named. `whole` is the part that collects the words of an unknown module. */
export type LoadedModule = {readonly name: string; readonly options: ReadonlyMap<string, MatchOption> | undefined; readonly used: Set<string>; readonly whole: RulePart | undefined};

/** An option as written in the line. */
export type Option = {readonly name: string; readonly word: Word; readonly negation: Word | undefined; readonly inlineValue: string | undefined};

/** An option that expects a value: `-m string --algo`, and whether it is certain to take one. */
export type OpenOption = {readonly label: string; readonly takesValue: boolean};

/** The words after `-j NAME` or `-g NAME` that are not options of a match. */
export type TargetWords = {readonly via: 'jump' | 'goto'; readonly name: string; readonly words: Word[]};

/** A position in the line, and what replaces it in the rule's text. */
export type Edit = {readonly start: number; readonly end: number; readonly text: string};

/** A rule that is being read. */
export type Reader = {
	readonly line: string;
	readonly words: readonly Word[];
	next: number;
	readonly family: AddressFamily;
	readonly parts: RulePart[];
	readonly modules: LoadedModule[];
	readonly seen: Set<string>;
	protocol: string | undefined;
	target: TargetWords | undefined;
	/** The owner of unknown words: the target or the unknown module, whichever came last. */
	owner: Word[] | undefined;
	/** The option of the owner that expects a value. */
	openOption: OpenOption | undefined;
	readonly edits: Edit[];
	hasOldNegation: boolean;
};

/** Whether a word is the `!` that negates. A quoted one is a value. */
export function isNegation(word: Word | undefined): boolean {
	return word?.text === '!' && !word.quoted;
}

/** Whether a word begins an option. A quoted one is a value. */
export function isOption({text, quoted}: Word): boolean {
	return !quoted && text.length > 1 && text.startsWith('-');
}

/**
The value of an option. An unquoted word that begins with a dash is the next option, not a value.

@throws {RuleSyntaxError} if there is none.
*/
export function takeValue(reader: Reader, {name, inlineValue}: Pick<Option, 'name' | 'inlineValue'>): string {
	if (inlineValue !== undefined) {
		return inlineValue;
	}

	const word = reader.words[reader.next];
	if (word === undefined || isNegation(word) || isOption(word)) {
		throw new RuleSyntaxError(`${name} needs a value`);
	}

	reader.next++;
	return word.text;
}

/**
Moves the `!` of `--dport ! 80` to its current place, `! --dport 80`: iptables wrote it the old way until 1.4.2, and current tools do not accept that (1.8.9, measured).

@throws {RuleSyntaxError} if the option is negated twice.
*/
export function modernise(reader: Reader, option: Option): Option {
	const negation = reader.words[reader.next];
	if (negation === undefined || !isNegation(negation) || option.inlineValue !== undefined) {
		return option;
	}

	const value = reader.words[reader.next + 1];
	if (value === undefined || isOption(value) || isNegation(value)) {
		return option;
	}

	if (option.negation !== undefined) {
		throw new RuleSyntaxError(`${option.name} is negated twice`);
	}

	reader.next++;
	reader.hasOldNegation = true;
	reader.edits.push({start: option.word.start, end: option.word.start, text: '! '}, {start: negation.start, end: value.start, text: ''});
	return {...option, negation};
}

/**
Rejects a `!` before something that cannot be negated.

@throws {RuleSyntaxError} naming the option.
*/
export function refuseNegation({name, negation}: Option, what: string): void {
	if (negation !== undefined) {
		throw new RuleSyntaxError(`"!" in front of ${name}: ${what} cannot be negated`);
	}
}

/** The words of an option from its `!` to the current position. */
export function wordsOf(reader: Reader, {word, negation}: Option): Word[] {
	const first = reader.words.indexOf(word, Math.max(0, reader.next - 4));
	return [...(negation === undefined ? [] : [negation]), ...reader.words.slice(first, reader.next).filter(candidate => candidate !== negation)];
}

/** The line with its edits applied; they are in the order of the line. */
export function editedText({line, edits}: Reader): string {
	if (edits.length === 0) {
		return line.trim();
	}

	const pieces: string[] = [];
	let place = 0;
	for (const {start, end, text} of edits.toSorted((one, other) => one.start - other.start)) {
		pieces.push(line.slice(place, start), text);
		place = end;
	}

	pieces.push(line.slice(place));
	return pieces.join('').trim();
}
