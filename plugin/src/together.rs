//! Waiting for several calls at once.

use core::{future::poll_fn, pin::Pin, task::Poll};
use futures_util::future::{TryFuture, TryMaybeDone, try_maybe_done};

/// Waits for all of `futures` at once; gives their results in order, or the first error as soon as
/// it comes. For a handful of futures: every wake-up looks at each one that is not done. (The
/// library's `try_join_all` is the same with fifteen kilobytes of code for long lists.)
pub async fn try_all<F: TryFuture>(
    futures: impl IntoIterator<Item = F>,
) -> Result<Vec<F::Ok>, F::Error> {
    let mut futures: Vec<Pin<Box<TryMaybeDone<F>>>> = futures
        .into_iter()
        .map(|future| Box::pin(try_maybe_done(future)))
        .collect();
    poll_fn(|context| {
        let mut result = Poll::Ready(Ok(()));
        for future in &mut futures {
            match future.as_mut().poll(context)? {
                Poll::Ready(()) => {}
                Poll::Pending => result = Poll::Pending,
            }
        }
        result
    })
    .await?;
    let outputs = futures.iter_mut();
    Ok(outputs
        .filter_map(|future| future.as_mut().take_output())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        future::ready,
        task::{Context, Waker},
    };

    /// Pending at first, then ready.
    async fn later(result: Result<u8, u8>) -> Result<u8, u8> {
        let mut looked = false;
        poll_fn(|_| {
            if looked {
                return Poll::Ready(());
            }
            looked = true;
            Poll::Pending
        })
        .await;
        result
    }

    #[test]
    fn results_come_in_order_and_the_first_error_at_once() {
        let mut context = Context::from_waker(Waker::noop());
        let mut fine = Box::pin(try_all(
            [Ok(1), Err(3), Ok(2)].map(|r: Result<u8, u8>| later(r.or(Ok(9)))),
        ));
        assert_eq!(fine.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(
            fine.as_mut().poll(&mut context),
            Poll::Ready(Ok(vec![1, 9, 2]))
        );

        let mut failing = Box::pin(try_all([later(Ok(1)), later(Err(2))]));
        assert_eq!(failing.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(failing.as_mut().poll(&mut context), Poll::Ready(Err(2)));

        let mut at_once = Box::pin(try_all([ready(Err::<u8, u8>(1)), ready(Ok(2))]));
        assert_eq!(at_once.as_mut().poll(&mut context), Poll::Ready(Err(1)));
        let mut none = Box::pin(try_all(core::iter::empty::<
            core::future::Ready<Result<u8, u8>>,
        >()));
        assert_eq!(none.as_mut().poll(&mut context), Poll::Ready(Ok(vec![])));
    }
}
