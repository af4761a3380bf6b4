import test from 'ava';
import {parseShard, printShard, printShardNumbers} from '../../../src/sharding/shard.js';

test('a shard is read as it is printed', t => {
	for (const text of ['1/1', '3/16', '16/16', '100000/100000']) {
		t.is(printShard(parseShard(text)!), text);
	}
});

for (const text of ['', '3', '0/4', '5/4', '4/0', '-1/4', '1/4 ', ' 1/4', '01/4', '1/04', '1.5/4', '1/4/2', '3 of 4', '1/100001', '1/1000000', '٣/٤']) {
	test(`"${text}" is no shard`, t => {
		t.is(parseShard(text), undefined);
	});
}

test('neighbors in a list of numbers are joined', t => {
	t.is(printShardNumbers([]), '');
	t.is(printShardNumbers([7]), '7');
	t.is(printShardNumbers([1, 2, 3, 5, 7, 8]), '1-3, 5, 7-8');
});
