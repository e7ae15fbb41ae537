// The AWS SDK for JavaScript v2: its last version, which speaks JSON to SQS, and one from before, which
// speaks the query protocol: form posts to the queue's own URL, answered in XML.
import assert from "node:assert/strict";
import { test } from "node:test";
import latest from "aws-sdk";
import earlier from "aws-sdk-query";

const settings = { endpoint: process.env.AWS_ENDPOINT_URL, region: process.env.AWS_REGION };

for (const [protocol, AWS] of Object.entries({ JSON: latest, query: earlier })) {
  const sqs = new AWS.SQS(settings);
  const newQueue = async (name, Attributes = {}) =>
    (await sqs.createQueue({ QueueName: `${protocol}-${name}`, Attributes }).promise()).QueueUrl;

  test(`SQS in ${protocol}: a message comes out with its attributes, and is gone once deleted`, async () => {
    const QueueUrl = await newQueue("departures", { VisibilityTimeout: "60" });
    const MessageBody = "Zürich – 東京 🛫 \t\n <&>\"' %41+=";
    const sent = await sqs
      .sendMessage({
        QueueUrl,
        MessageBody,
        MessageAttributes: {
          origin: { DataType: "String", StringValue: "a & b <c>" },
          gate: { DataType: "Number", StringValue: "17" },
          picture: { DataType: "Binary", BinaryValue: Buffer.from([0, 255, 128, 10]) },
        },
      })
      .promise();

    const { Messages } = await sqs
      .receiveMessage({ QueueUrl, AttributeNames: ["All"], MessageAttributeNames: ["origin", "pict.*"] })
      .promise();
    assert.equal(Messages.length, 1);
    const [message] = Messages;
    assert.equal(message.MessageId, sent.MessageId);
    assert.equal(message.Body, MessageBody);
    assert.equal(message.MD5OfBody, sent.MD5OfMessageBody);
    assert.deepEqual(Object.keys(message.MessageAttributes).sort(), ["origin", "picture"]);
    assert.equal(message.MessageAttributes.origin.StringValue, "a & b <c>");
    assert.deepEqual([...message.MessageAttributes.picture.BinaryValue], [0, 255, 128, 10]);
    assert.equal(message.Attributes.ApproximateReceiveCount, "1");

    const counts = async () => {
      const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] }).promise();
      assert.equal(Attributes.VisibilityTimeout, "60");
      return [Attributes.ApproximateNumberOfMessages, Attributes.ApproximateNumberOfMessagesNotVisible];
    };
    assert.deepEqual(await counts(), ["0", "1"]);
    await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle }).promise();
    assert.deepEqual(await counts(), ["0", "0"]);
  });

  test(`SQS in ${protocol}: a receive of nothing`, async () => {
    const QueueUrl = await newQueue("empty");
    const answer = await sqs.receiveMessage({ QueueUrl }).promise();
    assert.deepEqual(answer.Messages ?? [], []);
  });

  test(`SQS in ${protocol}: a batch says for each entry whether it worked`, async () => {
    const QueueUrl = await newQueue("batches");
    const sent = await sqs
      .sendMessageBatch({
        QueueUrl,
        Entries: [
          { Id: "good", MessageBody: "one" },
          { Id: "bad", MessageBody: "two", DelaySeconds: 901 },
        ],
      })
      .promise();
    assert.deepEqual(sent.Successful.map((entry) => entry.Id), ["good"]);
    assert.deepEqual(sent.Failed.map((entry) => [entry.Id, entry.SenderFault]), [["bad", true]]);

    const { Messages } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 }).promise();
    const changed = await sqs
      .changeMessageVisibilityBatch({
        QueueUrl,
        Entries: [{ Id: "again", ReceiptHandle: Messages[0].ReceiptHandle, VisibilityTimeout: 0 }],
      })
      .promise();
    assert.deepEqual(changed.Successful.map((entry) => entry.Id), ["again"]);
    assert.deepEqual(changed.Failed ?? [], []);
    const again = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 10 }).promise();
    assert.equal(again.Messages[0].MessageId, sent.Successful[0].MessageId);
  });

  test(`SQS in ${protocol}: an error has the code that it always had`, async () => {
    await assert.rejects(sqs.getQueueUrl({ QueueName: "nowhere" }).promise(), (error) => {
      assert.equal(error.code, "AWS.SimpleQueueService.NonExistentQueue");
      assert.equal(error.statusCode, 400);
      assert.match(error.message, /^The specified queue does not exist/);
      assert.match(error.requestId, /^[0-9a-f-]{36}$/);
      return true;
    });
    const QueueUrl = await newQueue("errors");
    await assert.rejects(sqs.deleteMessage({ QueueUrl, ReceiptHandle: "forged" }).promise(), {
      code: "ReceiptHandleIsInvalid",
    });
    await assert.rejects(sqs.setQueueAttributes({ QueueUrl, Attributes: { DelaySeconds: "901" } }).promise(), {
      code: "InvalidAttributeValue",
    });
    await assert.rejects(
      sqs.sendMessageBatch({ QueueUrl, Entries: [{ Id: "a", MessageBody: "1" }, { Id: "a", MessageBody: "2" }] }).promise(),
      { code: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct" },
    );
  });

  test(`SQS in ${protocol}: a list of queues comes page by page`, async () => {
    const names = ["a", "b", "c"].map((letter) => `paged-${letter}`);
    for (const name of names) await newQueue(name);
    const QueueNamePrefix = `${protocol}-paged-`;
    const first = await sqs.listQueues({ QueueNamePrefix, MaxResults: 2 }).promise();
    const rest = await sqs.listQueues({ QueueNamePrefix, MaxResults: 2, NextToken: first.NextToken }).promise();
    assert.equal(first.QueueUrls.length, 2);
    assert.equal(rest.NextToken, undefined);
    const listed = [...first.QueueUrls, ...rest.QueueUrls].map((url) => url.split("/").at(-1));
    assert.deepEqual(listed.sort(), names.map((name) => `${protocol}-${name}`));
  });

  test(`SQS in ${protocol}: tags, permissions and policies`, async () => {
    const QueueUrl = await newQueue("administered");
    await sqs.tagQueue({ QueueUrl, Tags: { team: "ground crew", empty: "" } }).promise();
    await sqs.untagQueue({ QueueUrl, TagKeys: ["empty"] }).promise();
    assert.deepEqual((await sqs.listQueueTags({ QueueUrl }).promise()).Tags, { team: "ground crew" });

    await sqs
      .addPermission({ QueueUrl, Label: "guests", AWSAccountIds: ["111122223333"], Actions: ["ReceiveMessage"] })
      .promise();
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["Policy"] }).promise();
    assert.equal(JSON.parse(Attributes.Policy).Statement[0].Sid, "guests");
    await sqs.removePermission({ QueueUrl, Label: "guests" }).promise();
    await sqs.purgeQueue({ QueueUrl }).promise();
    await sqs.deleteQueue({ QueueUrl }).promise();
  });

  test(`SQS in ${protocol}: a FIFO queue keeps order`, async () => {
    const { QueueUrl } = await sqs
      .createQueue({
        QueueName: `${protocol}-orders.fifo`,
        Attributes: { FifoQueue: "true", ContentBasedDeduplication: "true" },
      })
      .promise();
    for (const MessageBody of ["1", "2", "2", "3"]) {
      const { SequenceNumber } = await sqs.sendMessage({ QueueUrl, MessageBody, MessageGroupId: "one" }).promise();
      assert.match(SequenceNumber, /^\d{20}$/);
    }
    const { Messages } = await sqs
      .receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, AttributeNames: ["MessageGroupId"] })
      .promise();
    assert.deepEqual(Messages.map((message) => message.Body), ["1", "2", "3"]);
    assert.ok(Messages.every((message) => message.Attributes.MessageGroupId === "one"));
  });
}

test("Kinesis: records go in and come out", async () => {
  const kinesis = new latest.Kinesis(settings);
  const StreamName = "v2-departures";
  await kinesis.createStream({ StreamName, ShardCount: 1 }).promise();
  await kinesis.waitFor("streamExists", { StreamName }).promise();
  const { SequenceNumber } = await kinesis
    .putRecord({ StreamName, Data: "text 🛫", PartitionKey: "a" })
    .promise();
  await kinesis
    .putRecords({ StreamName, Records: [{ Data: Buffer.from([0, 255]), PartitionKey: "b", ExplicitHashKey: "7" }] })
    .promise();

  const { Shards } = await kinesis.listShards({ StreamName }).promise();
  const { ShardIterator } = await kinesis
    .getShardIterator({
      StreamName,
      ShardId: Shards[0].ShardId,
      ShardIteratorType: "AT_SEQUENCE_NUMBER",
      StartingSequenceNumber: SequenceNumber,
    })
    .promise();
  const { Records, MillisBehindLatest } = await kinesis.getRecords({ ShardIterator }).promise();
  assert.equal(Records[0].Data.toString("utf8"), "text 🛫");
  assert.deepEqual([...Records[1].Data], [0, 255]);
  assert.equal(Records[0].SequenceNumber, SequenceNumber);
  assert.ok(Records[0].ApproximateArrivalTimestamp instanceof Date);
  assert.equal(MillisBehindLatest, 0);
  await assert.rejects(kinesis.getRecords({ ShardIterator: "forged" }).promise(), {
    code: "InvalidArgumentException",
  });
  await assert.rejects(kinesis.describeStream({ StreamName: "nowhere" }).promise(), {
    code: "ResourceNotFoundException",
  });
});
