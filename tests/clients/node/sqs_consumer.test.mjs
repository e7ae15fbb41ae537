// npm's sqs-consumer, which polls, hands over, deletes what went well and gives back what did not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";

const sqs = new SQSClient();
after(() => sqs.destroy());

const newQueue = async (QueueName, Attributes = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl;

async function attributes(QueueUrl) {
  return (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }))).Attributes;
}

async function stopped(consumer) {
  const end = once(consumer, "stopped");
  consumer.stop({ abort: true });
  await end;
}

test("each message is handled and deleted, whether it was there or came while polling", async () => {
  const queueUrl = await newQueue("work");
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "already there" }));

  const handled = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    handleMessage: async (message) => {
      handled.push(message.Body);
      return message;
    },
  });
  const errors = [];
  consumer.on("error", (error) => errors.push(error));
  const first = once(consumer, "message_processed");
  consumer.start();
  await first;

  const processed = once(consumer, "message_processed");
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "sent meanwhile" }));
  await processed;
  assert.deepEqual(errors, []);
  await stopped(consumer);

  assert.deepEqual(handled, ["already there", "sent meanwhile"]);
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = await attributes(queueUrl);
  assert.deepEqual([ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible], ["0", "0"]);
});

test("a batch is handled at once, with the attributes that were asked for", async () => {
  const queueUrl = await newQueue("batch-work");
  const Entries = Array.from({ length: 10 }, (_, number) => ({
    Id: `${number}`,
    MessageBody: `job ${number}`,
    MessageAttributes: { number: { DataType: "Number", StringValue: `${number}` } },
  }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));

  const batches = [];
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    batchSize: 10,
    messageAttributeNames: ["All"],
    messageSystemAttributeNames: ["ApproximateReceiveCount"],
    handleMessageBatch: async (messages) => {
      batches.push(messages);
      return messages;
    },
  });
  const errors = [];
  consumer.on("error", (error) => errors.push(error));
  const processed = once(consumer, "response_processed");
  consumer.start();
  await processed;
  assert.deepEqual(errors, []);
  await stopped(consumer);

  const messages = batches.flat();
  assert.equal(messages.length, 10);
  for (const message of messages) {
    assert.equal(message.Body, `job ${message.MessageAttributes.number.StringValue}`);
    assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  }
  assert.equal((await attributes(queueUrl)).ApproximateNumberOfMessagesNotVisible, "0");
});

test("a job that keeps failing is tried again, and then is a dead letter", async () => {
  const deadUrl = await newQueue("dead-work");
  const { QueueArn } = await attributes(deadUrl);
  const queueUrl = await newQueue("failing-work", {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount: 3 }),
  });
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "poison" }));

  let attempts = 0;
  const consumer = Consumer.create({
    queueUrl,
    sqs,
    terminateVisibilityTimeout: true,
    handleMessage: async () => {
      attempts += 1;
      throw new Error("not today");
    },
  });
  const errors = [];
  consumer.on("processing_error", (error) => errors.push(error));
  consumer.on("error", () => {}); // the receive that ends when we stop
  consumer.start();
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: deadUrl,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"],
    }),
  );
  await stopped(consumer);

  assert.equal(Messages[0].Body, "poison");
  assert.equal(attempts, 3);
  assert.equal(errors.length, 3);
});
