/**
A report as TAP version 14 (testanything.org), one test point per type and family.
*/

import {stepsOfPath} from '../netfilter/path.js';
import type {Outcome} from '../judge/outcome.js';
import {causesOf, describeCause, describeDifference} from './differences.js';
import {summarize} from './exit-code.js';
import type {Report, TypeResult} from './types.js';

/** The report as TAP. What is not `ok` has its reasons as YAML; so has the published route, which never decides. */
export function printTap(report: Report): string {
	const {passed, failed, inconclusive} = summarize(report);
	return [
		'TAP version 14',
		`1..${report.types.length}`,
		...(report.scenario === undefined ? [] : [`# ${report.scenario.name}: ${report.scenario.about}`]),
		...report.types.flatMap((result, index) => printPoint(result, {number: index + 1, what: report.scenario === undefined ? 'type' : 'probe'})),
		...report.hints.map(hint => `# ${hint}`),
		`# ${passed} passed, ${failed} failed, ${inconclusive} inconclusive`,
	].map(line => `${line}\n`).join('');
}

function printPoint(result: TypeResult, {number, what}: {readonly number: number; readonly what: 'type' | 'probe'}): readonly string[] {
	const {id, name, family, outcome, published, legs} = result;
	return [
		`${outcome.kind === 'pass' ? 'ok' : 'not ok'} ${number} - ${what} ${id} ${name}, ${family}`,
		'  ---',
		...(outcome.kind === 'pass' ? [] : [`  message: ${quote(messageOf(outcome))}`, `  outcome: ${outcome.kind}`]),
		...reasonsOf(outcome),
		`  path: ${quote(stepsOfPath({legs}).join(' > '))}`,
		...(published === null ? [] : [`  article: ${published.agrees === true ? 'agrees' : quote(published.reason ?? 'differs')}`]),
		'  ...',
	];
}

function messageOf(outcome: Outcome): string {
	switch (outcome.kind) {
		case 'pass': {
			return '';
		}

		case 'fail': {
			return outcome.differences.slice(0, 1).map(difference => describeDifference(difference)).join('');
		}

		case 'inconclusive': {
			return `inconclusive: ${outcome.reasons[0]?.message ?? ''}`;
		}
	}
}

function reasonsOf(outcome: Outcome): readonly string[] {
	switch (outcome.kind) {
		case 'pass': {
			return [];
		}

		case 'fail': {
			return ['  differences:', ...outcome.differences.map(difference => `    - ${quote([describeDifference(difference), ...causesOf(difference).map(cause => describeCause(cause))].join(' '))}`)];
		}

		case 'inconclusive': {
			return ['  gaps:', ...outcome.reasons.map(({kind, message}) => `    - ${quote(`${kind}: ${message}`)}`)];
		}
	}
}

/** JSON's strings are YAML's double-quoted ones. */
function quote(text: string): string {
	return JSON.stringify(text);
}
