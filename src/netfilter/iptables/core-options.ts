/**
The options of iptables itself: addresses, interfaces, protocol, fragments; `-m`, `-j`, `-g`, and counters.
*/

import type {Match} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {matchModules} from './match-modules.js';
import {checkExtensionName} from './opaque-options.js';
import {parseInterface, parseProtocol, parseRuleAddress} from './values.js';
import {
	modernise, refuseNegation, takeValue, wordsOf, type Option, type Reader, type RulePart,
} from './rule-reader.js';

/** The names of each core option, the main one first (iptables(8), PARAMETERS). */
export const coreOptions: ReadonlyMap<string, keyof typeof readCore> = new Map(([
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

/** One reader per core option. Each advances the reader past what it has read. */
export const readCore = {
	protocol(reader: Reader, given: Option): void {
		const option = modernise(reader, given);
		const protocol = parseProtocol(takeValue(reader, option));
		if (protocol === undefined) {
			refuseNegation(option, 'all protocols');
			return;
		}

		const negated = option.negation !== undefined;
		reader.protocol = negated ? undefined : protocol;
		addPart(reader, option, {name: '-p', match: {kind: 'protocol', negated, protocol}});
	},
	source(reader: Reader, option: Option): void {
		readAddress(reader, option, 'source');
	},
	destination(reader: Reader, option: Option): void {
		readAddress(reader, option, 'destination');
	},
	'in-interface'(reader: Reader, option: Option): void {
		readInterface(reader, option, 'in-interface');
	},
	'out-interface'(reader: Reader, option: Option): void {
		readInterface(reader, option, 'out-interface');
	},
	fragment(reader: Reader, option: Option): void {
		if (reader.family === 'ipv6') {
			throw new RuleSyntaxError(`${option.name} is for IPv4 only`);
		}

		addPart(reader, option, {name: '-f', match: {kind: 'opaque', text: option.negation === undefined ? '-f' : '! -f'}});
	},
	module(reader: Reader, option: Option): void {
		refuseNegation(option, 'a module');
		const name = takeValue(reader, option);
		checkExtensionName(name, '-m');
		const options = matchModules.get(name);
		const whole: RulePart | undefined = options === undefined
			? {
				module: name, option: '-m', negated: false, match: undefined, words: wordsOf(reader, option),
			}
			: undefined;
		reader.modules.push({
			name, options, used: new Set(), whole,
		});
		if (whole !== undefined) {
			reader.parts.push(whole);
			reader.owner = whole.words;
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
		const values = [takeValue(reader, option), takeValue(reader, {...option, inlineValue: undefined})];
		if (!values.every(value => /^\d+$/.test(value))) {
			throw new RuleSyntaxError(`bad counters "${values.join(' ')}": expected two whole numbers`);
		}

		// The rest of the line moves up to the place of the counters, without the blanks between.
		reader.edits.push({start: option.word.start, end: reader.words[reader.next]?.start ?? reader.line.length, text: ''});
	},
};

function readAddress(reader: Reader, given: Option, kind: 'source' | 'destination'): void {
	const option = modernise(reader, given);
	const value = takeValue(reader, option);
	const negated = option.negation !== undefined;
	const name = kind === 'source' ? '-s' : '-d';
	const address = parseRuleAddress(value, reader.family);
	addPart(reader, option, {name, match: address === undefined ? {kind: 'opaque', text: `${negated ? '! ' : ''}${name} ${value}`} : {kind, negated, address}});
}

function readInterface(reader: Reader, given: Option, kind: 'in-interface' | 'out-interface'): void {
	const option = modernise(reader, given);
	addPart(reader, option, {name: kind === 'in-interface' ? '-i' : '-o', match: {kind, negated: option.negation !== undefined, name: parseInterface(takeValue(reader, option))}});
}

function addPart(reader: Reader, option: Option, {name, match}: {readonly name: string; readonly match: Match}): void {
	reader.parts.push({
		module: '', option: name, negated: option.negation !== undefined, match, words: wordsOf(reader, option),
	});
}

function readJump(reader: Reader, option: Option, via: 'jump' | 'goto'): void {
	refuseNegation(option, 'a target');
	if (reader.target !== undefined) {
		throw new RuleSyntaxError('two targets');
	}

	reader.target = {via, name: takeValue(reader, option), words: []};
	reader.owner = reader.target.words;
}
