// Kinesis by the AWS SDK for JavaScript v3: as it is out of the box, over HTTP/2, and over HTTP/1.1.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  DeregisterStreamConsumerCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  InvalidArgumentException,
  KinesisClient,
  KinesisServiceException,
  ListShardsCommand,
  ListStreamsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  ResourceNotFoundException,
  SplitShardCommand,
  SubscribeToShardCommand,
  paginateListStreams,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const text = (data) => Buffer.from(data).toString("utf8");
const bytes = (string) => Buffer.from(string, "utf8");

const transports = {
  "HTTP/2": new KinesisClient(),
  "HTTP/1.1": new KinesisClient({ requestHandler: new NodeHttpHandler() }),
};

for (const [transport, kinesis] of Object.entries(transports)) {
  const prefix = transport.replace(/\W/g, "-");
  after(() => kinesis.destroy());

  const newStream = async (name, ShardCount = 1) => {
    const StreamName = `${prefix}-${name}`;
    await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount }));
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { StreamName });
    return StreamName;
  };
  const shardsOf = async (StreamName) => (await kinesis.send(new ListShardsCommand({ StreamName }))).Shards;
  const active = async (StreamName) => {
    for (;;) {
      const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
      if (StreamDescriptionSummary.StreamStatus === "ACTIVE") return StreamDescriptionSummary;
    }
  };
  const readAll = async (StreamName, ShardId, position = { ShardIteratorType: "TRIM_HORIZON" }) => {
    const records = [];
    let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName, ShardId, ...position }));
    for (;;) {
      const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 3 }));
      records.push(...answer.Records);
      ShardIterator = answer.NextShardIterator;
      if (!ShardIterator || (answer.Records.length === 0 && answer.MillisBehindLatest === 0)) return records;
    }
  };

  test(`${transport}: records come out of their shard in the order in which they went in`, async () => {
    const StreamName = await newStream("departures", 2);
    const began = Date.now();
    const placed = [];
    for (let number = 0; number < 8; number += 1) {
      placed.push(
        await kinesis.send(
          new PutRecordCommand({
            StreamName,
            Data: bytes(`departure ${number} 🛫`),
            PartitionKey: `aircraft-${number % 3}`,
          }),
        ),
      );
    }
    const batch = await kinesis.send(
      new PutRecordsCommand({
        StreamName,
        Records: [0, 255, 10].map((byte) => ({ Data: Uint8Array.of(byte, 0), PartitionKey: "bytes" })),
      }),
    );
    assert.equal(batch.FailedRecordCount, 0);

    const byShard = new Map();
    for (const { ShardId } of await shardsOf(StreamName)) byShard.set(ShardId, await readAll(StreamName, ShardId));
    for (const [number, { ShardId, SequenceNumber }] of placed.entries()) {
      const record = byShard.get(ShardId).find((candidate) => candidate.SequenceNumber === SequenceNumber);
      assert.equal(text(record.Data), `departure ${number} 🛫`);
      assert.equal(record.PartitionKey, `aircraft-${number % 3}`);
      assert.ok(record.ApproximateArrivalTimestamp instanceof Date);
      assert.ok(Math.abs(record.ApproximateArrivalTimestamp - began) < 60_000);
    }
    const inBytes = byShard.get(batch.Records[0].ShardId).filter((record) => record.PartitionKey === "bytes");
    assert.deepEqual(inBytes.map((record) => [...record.Data]), [[0, 0], [255, 0], [10, 0]]);
    for (const records of byShard.values()) {
      const numbers = records.map((record) => BigInt(record.SequenceNumber));
      assert.deepEqual(numbers, numbers.toSorted((one, other) => (one < other ? -1 : 1)));
    }
  });

  test(`${transport}: a reader begins where it says`, async () => {
    const StreamName = await newStream("positions");
    const [{ ShardId }] = await shardsOf(StreamName);
    const put = async (word) =>
      kinesis.send(new PutRecordCommand({ StreamName, Data: bytes(word), PartitionKey: "same" }));
    await put("one");
    const { SequenceNumber } = await put("two");
    await put("three");

    const from = async (position) =>
      (await readAll(StreamName, ShardId, position)).map((record) => text(record.Data));
    assert.deepEqual(await from({ ShardIteratorType: "TRIM_HORIZON" }), ["one", "two", "three"]);
    assert.deepEqual(
      await from({ ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: SequenceNumber }),
      ["two", "three"],
    );
    assert.deepEqual(
      await from({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: SequenceNumber }),
      ["three"],
    );
    assert.deepEqual(
      await from({ ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(Date.now() - 3_600_000) }),
      ["one", "two", "three"],
    );
    assert.deepEqual(await from({ ShardIteratorType: "LATEST" }), []);
  });

  test(`${transport}: a shard is split, and its children are merged`, async () => {
    const StreamName = await newStream("resharded");
    const [parent] = await shardsOf(StreamName);
    await kinesis.send(new PutRecordCommand({ StreamName, Data: bytes("before"), PartitionKey: "a" }));
    await kinesis.send(
      new SplitShardCommand({
        StreamName,
        ShardToSplit: parent.ShardId,
        NewStartingHashKey: (2n ** 127n).toString(),
      }),
    );
    await active(StreamName);

    const [closed, left, right] = await shardsOf(StreamName);
    assert.equal(closed.ShardId, parent.ShardId);
    assert.ok(closed.SequenceNumberRange.EndingSequenceNumber);
    assert.equal(left.ParentShardId, parent.ShardId);
    assert.equal(right.HashKeyRange.StartingHashKey, (2n ** 127n).toString());
    assert.deepEqual((await readAll(StreamName, parent.ShardId)).map((record) => text(record.Data)), ["before"]);
    const { ShardIterator } = await kinesis.send(
      new GetShardIteratorCommand({ StreamName, ShardId: parent.ShardId, ShardIteratorType: "LATEST" }),
    );
    const end = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
    assert.equal(end.NextShardIterator, undefined);
    assert.deepEqual(end.ChildShards.map((child) => child.ShardId).sort(), [left.ShardId, right.ShardId]);

    await kinesis.send(
      new MergeShardsCommand({ StreamName, ShardToMerge: left.ShardId, AdjacentShardToMerge: right.ShardId }),
    );
    assert.equal((await active(StreamName)).OpenShardCount, 1);
    assert.equal((await shardsOf(StreamName)).at(-1).AdjacentParentShardId, right.ShardId);
  });

  test(`${transport}: an error is of the class that the SDK has for it`, async () => {
    await assert.rejects(
      kinesis.send(new PutRecordCommand({ StreamName: "nowhere", Data: bytes("?"), PartitionKey: "?" })),
      (error) => {
        assert.ok(error instanceof ResourceNotFoundException);
        assert.ok(error instanceof KinesisServiceException);
        assert.equal(error.message, "Stream nowhere under account 123456789012 not found.");
        assert.equal(error.$metadata.httpStatusCode, 400);
        return true;
      },
    );
    const StreamName = await newStream("errors");
    await assert.rejects(
      kinesis.send(
        new PutRecordCommand({ StreamName, Data: bytes("?"), PartitionKey: "?", ExplicitHashKey: `${2n ** 128n}` }),
      ),
      (error) => error instanceof InvalidArgumentException,
    );
    await assert.rejects(kinesis.send(new PutRecordCommand({ StreamName, Data: bytes("?"), PartitionKey: "" })), {
      name: "ValidationException",
    });
  });

  test(`${transport}: a list of streams comes page by page, without those that were deleted`, async () => {
    const names = [];
    for (let number = 0; number < 5; number += 1) names.push(await newStream(`paged-${number}`));
    await kinesis.send(new DeleteStreamCommand({ StreamName: names.pop() }));

    const listed = [];
    for await (const page of paginateListStreams({ client: kinesis, pageSize: 2 }, {})) {
      assert.ok(page.StreamNames.length <= 2);
      listed.push(...page.StreamNames);
    }
    assert.deepEqual(listed.filter((name) => name.startsWith(`${prefix}-paged-`)), names);
    const { StreamSummaries } = await kinesis.send(new ListStreamsCommand({ Limit: 100 }));
    assert.ok(StreamSummaries.every((summary) => summary.StreamCreationTimestamp instanceof Date));
  });

  test(`${transport}: a subscriber is told of each record as it comes`, async () => {
    const StreamName = await newStream("pushed");
    const { StreamARN } = await active(StreamName);
    const [{ ShardId }] = await shardsOf(StreamName);
    const { Consumer } = await kinesis.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "dashboard" }),
    );
    const put = (word) =>
      kinesis.send(new PutRecordCommand({ StreamName, Data: bytes(word), PartitionKey: "same" }));
    await put("before");

    const { EventStream } = await kinesis.send(
      new SubscribeToShardCommand({
        ConsumerARN: Consumer.ConsumerARN,
        ShardId,
        StartingPosition: { Type: "TRIM_HORIZON" },
      }),
    );
    const words = [];
    for await (const event of EventStream) {
      const { Records, ContinuationSequenceNumber, MillisBehindLatest } = event.SubscribeToShardEvent;
      assert.match(ContinuationSequenceNumber, /^\d+$/);
      assert.equal(typeof MillisBehindLatest, "number");
      words.push(...Records.map((record) => text(record.Data)));
      if (words.length === 1 && Records.length > 0) await put("while it listens");
      if (words.length === 2) break;
    }
    assert.deepEqual(words, ["before", "while it listens"]);
    await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN: Consumer.ConsumerARN }));
  });
}
