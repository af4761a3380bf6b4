import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {
	formats, idMax, readBackend, readBackends, readFamilies, readFormat, readId, readNumber, readServers, readTypes,
} from '../../../../testbed/cli/parsers.js';

type Row = {readonly title: string; readonly read: () => unknown; readonly value?: unknown; readonly error?: string};

const bounds = {min: 1, max: 10};
const within = 'It must be a whole number from 1 to 10.';
const anyId = `It must be a whole number from 0 to ${idMax}.`;

const rows: readonly Row[] = [
	{title: 'the smallest number', read: () => readNumber('1', bounds), value: 1},
	{title: 'the largest number', read: () => readNumber('10', bounds), value: 10},
	{title: 'a number with zeros in front', read: () => readNumber('007', bounds), value: 7},
	...['0', '11', '-1', '+1', '1.0', '1e0', '0x1', ' 1', '1 ', '', 'one', '１', '99999999999999999999'].map(text => ({title: `no number within bounds: "${text}"`, read: () => readNumber(text, bounds), error: within})),
	{title: 'root', read: () => readId('0'), value: 0},
	{title: 'the largest user', read: () => readId('4294967294'), value: 4_294_967_294},
	{title: 'the user that means unchanged', read: () => readId('4294967295'), error: anyId},
	{title: 'a user by name', read: () => readId('root'), error: anyId},
	{title: 'one type', read: () => readTypes('1'), value: ['1']},
	{title: 'types in their order, each once', read: () => readTypes('4b, 1,4b ,6'), value: ['4b', '1', '6']},
	{title: 'an empty place among types', read: () => readTypes('1,,2,'), value: ['1', '2']},
	{title: 'no types', read: () => readTypes(' , '), error: 'No type is named: choose from 1, 2, 3, 4, 4b, 5, 6.'},
	{title: 'types that are none', read: () => readTypes('1,7,x'), error: 'There is no type 7, x: choose from 1, 2, 3, 4, 4b, 5, 6.'},
	{title: 'a type that is a name of objects', read: () => readTypes('toString'), error: 'There is no type toString: choose from 1, 2, 3, 4, 4b, 5, 6.'},
	{title: 'one family', read: () => readFamilies('ipv6'), value: ['ipv6']},
	{title: 'both families', read: () => readFamilies('both'), value: ['ipv4', 'ipv6']},
	...['', 'IPv4', 'inet', 'constructor', '__proto__'].map(text => ({title: `no family: "${text}"`, read: () => readFamilies(text), error: 'It must be ipv4, ipv6 or both.'})),
	{title: 'a back end', read: () => readBackend('iptables-legacy'), value: 'iptables-legacy'},
	{title: 'native nftables', read: () => readBackend('nftables'), value: 'nftables'},
	{title: 'a back end that is none', read: () => readBackend('nft'), error: 'It must be iptables-nft, iptables-legacy, nftables.'},
	{title: 'several back ends, each once', read: () => readBackends('iptables-legacy, nftables,iptables-legacy'), value: ['iptables-legacy', 'nftables']},
	{title: 'all back ends', read: () => readBackends('all'), value: ['iptables-nft', 'iptables-legacy', 'nftables']},
	{title: 'a list with one that is none', read: () => readBackends('iptables-nft,ebtables'), error: 'It must be iptables-nft, iptables-legacy, nftables.'},
	{title: 'name servers of both families', read: () => readServers('10.96.0.10, 2001:db8::a,'), value: ['10.96.0.10', '2001:db8::a']},
	{title: 'a name server by name', read: () => readServers('10.96.0.10,dns.example'), error: '"dns.example" is no address.'},
	...formats.map(format => ({title: `the format ${format}`, read: () => readFormat(format), value: format})),
	...([['xml', 'junit'], ['md', 'markdown'], ['markdwn', 'markdown'], ['JSON', 'json'], ['tpa', 'tap'], ['Actions', 'github'], ['', 'tap']] as const)
		.map(([text, meant]) => ({title: `no format: "${text}"`, read: () => readFormat(text), error: `There is no such format: choose from text, json, tap, junit, markdown, github; the nearest is ${meant}.`})),
];

for (const {title, read, value, error} of rows) {
	test(`arguments: ${title}`, t => {
		if (error === undefined) {
			t.deepEqual(read(), value);
		} else {
			t.throws(read, {instanceOf: InvalidArgumentError, message: error});
		}
	});
}
