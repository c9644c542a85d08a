-- The statement of POST /v1/otp/verify (ChallengeStore.answer): the right answer to another challenge each time.
SELECT a.outcome, a.wait, a.phone, a.purpose, a.attempts_left
FROM bench_answers b CROSS JOIN LATERAL judge_answer(NULL, b.id, 'benchmark', b.digest, NULL, NULL, 10, 900, 100) a
WHERE b.n = (SELECT nextval('bench_answers_at'));
