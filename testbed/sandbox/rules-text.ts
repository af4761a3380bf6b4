/**
Rules as the tools print them after they were installed. A replay reads them as well, so nothing here runs a program.
*/

import {parseText, type RulesText} from '../../src/netfilter/rule-texts.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {traceTable} from './own-table.js';

/**
The rules that the tools printed after they were installed, without the testbed's own table.

@throws {ParseError} when a text is not what such a tool prints.
*/
export function parseInstalled(installed: readonly RulesText[]): RuleSet {
	return {
		// A namespace that holds no table of a family has nothing to print.
		tables: installed.filter(({text}) => text.trim() !== '').flatMap(each => parseText(each).tables).filter(({name}) => name !== traceTable),
	};
}
