/**
Random sets of native base chains at one another's heels: several of types nat and filter, at any priorities, some of them equal.
*/

import fc from 'fast-check';

const hooks = ['prerouting', 'input', 'output', 'postrouting'] as const;

/** Priorities that the kernel takes for nat as well: it refuses those before conntrack's (-200). Few, so that many are equal. */
const priority = fc.constantFrom(-199, -150, -101, -100, -99, 0, 50, 99, 100, 101, 200);

const port = fc.constantFrom(80, 81, 443, 8080);

/** `uid` is asked for where packets have a sender; what a redirect needs is there in each. */
function ruleOf(hook: typeof hooks[number], isNat: boolean): fc.Arbitrary<string> {
	const condition = fc.oneof(
		port.map(number => `tcp dport ${number}`),
		port.map(number => `tcp dport != ${number}`),
		fc.constantFrom('meta l4proto tcp', 'meta l4proto udp'),
		...(hook === 'output' ? [fc.constantFrom('meta l4proto tcp meta skuid 1337', 'meta l4proto tcp meta skuid != 1337')] : []),
	);
	const end = fc.constantFrom('accept', 'return', 'accept', 'drop', '');
	const redirect = fc.constantFrom(15_001, 15_006, 81).map(number => `redirect to :${number}`);
	return fc.tuple(condition, isNat && (hook === 'prerouting' || hook === 'output') ? fc.oneof(end, redirect, redirect) : end).map(([what, then]) => `${what} counter ${then}`.trimEnd());
}

const chain = fc.tuple(fc.constantFrom(...hooks), fc.boolean(), priority, fc.constantFrom('accept', 'accept', 'accept', 'drop')).chain(([hook, isNat, number, policy]) =>
	fc.array(ruleOf(hook, isNat), {maxLength: 3}).map(rules => ({
		type: isNat ? 'nat' : 'filter', hook, number, policy, rules,
	})));

/** The text of one to three tables of two to six chains in all, as `nft -f` takes it. */
export const randomBaseChains: fc.Arbitrary<string> = fc.tuple(fc.array(chain, {minLength: 2, maxLength: 6}), fc.array(fc.constantFrom('ip one', 'ip two', 'inet three'), {minLength: 6, maxLength: 6})).map(([chains, tables]) => {
	const texts = new Map<string, string[]>();
	for (const [index, {type, hook, number, policy, rules}] of chains.entries()) {
		const table = tables[index]!;
		texts.set(table, [...texts.get(table) ?? [], `\tchain c${index} {`, `\t\ttype ${type} hook ${hook} priority ${number}; policy ${policy};`, ...rules.map(rule => `\t\t${rule}`), '\t}']);
	}

	return [...texts].map(([table, lines]) => `table ${table} {\n${lines.join('\n')}\n}\n`).join('');
});
