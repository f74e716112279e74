use host_test::{
    scene::{On, Scene},
    sim::kiotviet::{Line, NewCustomer, NewInvoice},
};

#[tokio::test(start_paused = true)]
async fn a_new_customer_becomes_an_account_and_a_new_invoice_an_order() {
    let scene = Scene::connected(On::Both).await;
    let id = scene.kiotviet.create_customer(NewCustomer {
        name: "Chị Hoa".into(),
        contact_number: Some("0912 345 678".into()),
        email: Some("hoa@example.vn".into()),
        ..Default::default()
    });
    assert_eq!(scene.deliver().await, [200]);
    println!("{:#?}", scene.app.take_calls());
    scene.kiotviet.create_invoice(NewInvoice {
        customer_id: Some(id),
        sold_by: Some(5001),
        lines: vec![Line::new("SP1", "Áo", 2.into(), 150_000.into())],
        ..Default::default()
    });
    assert_eq!(scene.deliver().await, [200]);
    println!("{:#?}", scene.app.take_calls());
    println!("{:?}", scene.outcomes().await);
    println!(
        "{}",
        serde_json::to_string_pretty(&scene.app.get("events/2").await.1).unwrap()
    );
    println!("{:?} {:?}", scene.getfly.accounts(), scene.getfly.orders());
    println!("{:?}", scene.app.log());
    assert_eq!(
        scene.outcomes().await,
        ["created customer_created", "created order_created"]
    );
}
