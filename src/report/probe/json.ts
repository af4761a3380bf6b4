/**
The answer to a probe as the JSON document of the contract (`docs/formats.md`). Optional values are null, so that every key is always present.
*/

import {stepsOfPath, stopsOfPath} from '../../netfilter/path.js';
import type {AskedChain, Contradiction, AskedRule} from '../../judge/explain/explain-leg.js';
import {legToJson} from '../run/json.js';
import {jsonVersion} from '../run/schema.js';
import {describeAnswer, describeTarget, factFor, nameOfMatch} from '../rules/describe-rule.js';
import type {RuleLanguage} from '../../netfilter/types.js';
import type {
	AskedChainDocument, AskedRuleDocument, ContradictionRuleDocument, ProbeDocument,
} from './schema.js';
import {
	contradictionsOf, exitStatusOfProbe, type ProbeQuestion, type ProbeReport,
} from './types.js';
import {describeContradiction} from './describe.js';

/** The answer as plain data for `JSON.stringify`. */
export function probeToJson(report: ProbeReport): ProbeDocument {
	const {legs} = report;
	return {
		version: jsonVersion,
		environment: report.environment,
		rules: report.rules,
		probe: questionToJson(report.question),
		actors: report.actors,
		outcome: exitStatusOfProbe(report) === 0 ? 'answered' : 'inconclusive',
		stops: stopsOfPath({legs}),
		path: stepsOfPath({legs}),
		loop: report.loop,
		firstLegOnly: report.isFirstLegOnly,
		legs: legs.map((leg, index) => ({
			...legToJson(leg, report.observedRoles[index] ?? []),
			asked: report.explanations[index]?.chains.map(chain => chainToJson(chain)) ?? [],
		})),
		contradictions: contradictionsOf(report).map(({leg, contradiction}) => ({
			leg, kind: contradiction.kind, rule: contradictionRule(contradiction), message: describeContradiction(contradiction),
		})),
		gaps: report.gaps,
		hints: report.hints,
		durationMs: report.durationMs,
	};
}

function questionToJson({from, credentials, asked, to, family, protocol, source, mark, bindDevice}: ProbeQuestion): ProbeDocument['probe'] {
	return {
		from, credentials, asked, to, source: source ?? null, family, protocol, mark: mark ?? null, bindDevice: bindDevice ?? null,
	};
}

function chainToJson({traversal: {hook, family, table, chain}, language, rules}: AskedChain): AskedChainDocument {
	return {
		hook, family, table, chain, rules: rules.map(rule => ruleToJson(rule, language)),
	};
}

function ruleToJson(explained: AskedRule, language: RuleLanguage): AskedRuleDocument {
	const {rule, role, purpose, target, isHit, isDeciding, answer, facts} = explained;
	return {
		chain: rule.chain,
		number: rule.number,
		role,
		text: rule.text,
		purpose,
		does: describeTarget(target, explained),
		matched: isHit,
		decided: isDeciding,
		failed: !isHit && answer.kind === 'fails' ? {match: nameOfMatch(answer.match, facts, {language}), packet: factFor(answer.match, facts)} : null,
		notUnderstood: !isHit && answer.kind === 'not-known' ? describeAnswer(explained, {language}) : null,
	};
}

function contradictionRule(contradiction: Contradiction): ContradictionRuleDocument {
	if (contradiction.kind === 'out-of-way') {
		const {family, table, chain, number, text} = contradiction.hit;
		return {
			family, table, chain, number: number ?? null, text: text ?? null,
		};
	}

	return contradiction.rule.rule;
}
